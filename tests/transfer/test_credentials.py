import pytest

from pytest_potmodels.errors import UsageError
from pytest_potmodels.transfer.credentials import Credentials

HUB = "https://hub.example"


@pytest.mark.parametrize(
    "url", ["http://hub.example/x", "https://hub.example:8443/x", "https://cdn.hub.example/x"]
)
def test_scheme_host_and_port_make_the_hub(url: str) -> None:
    credentials = Credentials(HUB, lambda: "hf_secret")
    assert not credentials.belong_to(url)
    assert credentials.belong_to("https://HUB.example:443/x")


def test_only_trusted_requests_carry_the_token() -> None:
    credentials = Credentials(HUB, lambda: " hf_secret\n")
    assert credentials.authorization(HUB, trusted=True) == "Bearer hf_secret"
    assert credentials.authorization(HUB, trusted=False) is None


@pytest.mark.parametrize("nothing", [None, "", "  "])
def test_no_token_is_no_header(nothing: str | None) -> None:
    assert Credentials(HUB, lambda: nothing).authorization(HUB, trusted=True) is None


def test_a_url_brings_its_own_credentials() -> None:
    credentials = Credentials(HUB, lambda: "hf_secret")
    url = "https://me:p%40ss@mirror/x"
    assert credentials.authorization(url, trusted=True) == "Basic bWU6cEBzcw=="


def test_a_traceback_that_shows_variables_does_not_show_the_token() -> None:
    credentials = Credentials(HUB, lambda: "hf_secret")
    shown = [credentials.token(), {"Authorization": credentials.authorization(HUB, trusted=True)}]
    assert repr(shown) == "['***', {'Authorization': '***'}]"


def test_a_token_that_is_none_is_not_repeated() -> None:
    with pytest.raises(UsageError) as caught:
        Credentials(HUB, lambda: "hf_sec\nret").token()
    assert "hf_sec" not in str(caught.value)
