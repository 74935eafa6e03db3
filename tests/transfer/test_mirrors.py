import pytest

from pytest_potmodels.transfer.mirrors import Mirrors, Route


def test_the_longest_prefix_wins() -> None:
    mirrors = Mirrors([("https://hub/", "http://short/"), ("https://hub/org/", "http://long/")])
    assert mirrors.route("https://hub/org/model") == Route("http://long/model", mirrored=True)
    assert mirrors.route("https://hub/other") == Route("http://short/other", mirrored=True)


def test_other_urls_stay_as_they_are() -> None:
    mirrors = Mirrors([("https://hub", "http://mirror")])
    assert mirrors.route("https://cdn/x?y=1") == Route("https://cdn/x?y=1", mirrored=False)


@pytest.mark.parametrize("other", ["https://hub.evil/x", "https://hubble/x", "https://hub:8443/x"])
def test_a_host_name_is_not_a_prefix_of_a_longer_one(other: str) -> None:
    assert Mirrors([("https://hub", "http://mirror")]).route(other) == Route(other, mirrored=False)


@pytest.mark.parametrize("old", ["https://hub", "https://hub/"])
@pytest.mark.parametrize("new", ["http://mirror/base", "http://mirror/base/"])
def test_slashes_at_the_ends_do_not_matter(old: str, new: str) -> None:
    mirrors = Mirrors([(old, new)])
    assert mirrors.route("https://hub/a/b").url == "http://mirror/base/a/b"
    assert mirrors.base("https://hub") == Route("http://mirror/base", mirrored=True)


def test_letter_case_of_a_host_does_not_matter() -> None:
    assert Mirrors([("https://Hub", "http://m")]).route("HTTPS://hUB/A").url == "http://m/A"


def test_a_rewritten_url_is_not_rewritten_again() -> None:
    mirrors = Mirrors([("https://a", "https://b"), ("https://b", "https://c")])
    assert mirrors.route("https://a/x").url == "https://b/x"


def test_a_base_without_a_mirror_stays_as_it_is() -> None:
    assert Mirrors([]).base("https://hub/") == Route("https://hub", mirrored=False)
