import pytest

from pytest_potmodels.transfer.proxies import proxy_for

PROXY = "http://proxy.example:3128"


def test_without_variables_the_way_is_direct() -> None:
    assert proxy_for("https://hub.example/x") is None


def test_each_scheme_has_its_own_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", PROXY)
    assert proxy_for("https://hub.example/x") == PROXY
    assert proxy_for("http://hub.example/x") is None


def test_all_proxy_stands_in_for_both(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "proxy.example:3128")
    assert proxy_for("http://hub.example/x") == PROXY


@pytest.mark.parametrize(
    ("no_proxy", "url"),
    [
        ("*", "http://hub.example/x"),
        ("other,.example", "http://hub.example/x"),
        ("hub.example:8080", "http://hub.example:8080/x"),
        ("10.0.0.0/8", "http://10.1.2.3/x"),
    ],
)
def test_no_proxy_names_hosts_ports_and_networks(
    monkeypatch: pytest.MonkeyPatch, no_proxy: str, url: str
) -> None:
    monkeypatch.setenv("HTTP_PROXY", PROXY)
    assert proxy_for(url) == PROXY
    monkeypatch.setenv("NO_PROXY", no_proxy)
    assert proxy_for(url) is None


def test_no_proxy_of_another_network_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", PROXY)
    monkeypatch.setenv("NO_PROXY", "10.0.0.0/8,nonsense/99")
    assert proxy_for("http://11.1.2.3/x") == PROXY
