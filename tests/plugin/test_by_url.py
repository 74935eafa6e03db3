"""Models by URL in a test session."""

import pytest
from standin import StandIn
from standin.models import torchvision_weights

NETWORK = "squeezenet1_1"
TESTS = """
import pytest

pytestmark = pytest.mark.pot_preset("mine")

def test_a_preset(vision_model):
    assert vision_model.id.source == "url"
    assert vision_model.config["architecture"] == "squeezenet1_1"
    assert not vision_model.is_mock

@pytest.mark.requires_model("{url}", architecture="squeezenet1_1")
def test_a_mark(vision_model):
    assert vision_model.id.name == "{url}"

def test_by_name(pot_models):
    assert pot_models.load("{url}#architecture=squeezenet1_1").kind == "vision"

def test_by_a_callable(pot_models):
    made = pot_models.load("{url}", build=lambda folder: sorted(p.name for p in folder.iterdir()))
    assert made.model == ["m.pth", "model_info.json"]

def test_without_its_network(pot_models):
    with pytest.raises(Exception, match="does not say which network"):
        pot_models.load("{url}?unknown=1")
"""
WRONG = """
import pytest

@pytest.mark.requires_model("{url}#sha256={zeros}")
def test_wrong_bytes(): ...

@pytest.mark.requires_model("{url}?token=5ec4e7", architecture="squeezenet1_0")
def test_another_network(vision_model): ...
"""


@pytest.fixture
def url(site: StandIn, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> str:
    _, data = torchvision_weights(NETWORK)
    site.add_download("/m.pth", data)
    monkeypatch.setenv("POT_MIRRORS", f"https://files.example={site.downloads.url}")
    pytester.makepyprojecttoml(
        f"""
        [tool.potmodels.models.flowers]
        source = "url"
        name = "https://files.example/m.pth"
        architecture = "{NETWORK}"

        [tool.potmodels.presets.mine]
        vision = "flowers"
        """
    )
    return "https://files.example/m.pth"


def test_presets_marks_and_names_lead_to_one_download(
    pytester: pytest.Pytester, site: StandIn, url: str
) -> None:
    pytester.makepyfile(TESTS.format(url=url))
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider")
    result.assert_outcomes(passed=5)
    assert site.log.gets("/m.pth") == 2
    assert site.log.gets("/m.pth?unknown=1") == 1


def test_wrong_bytes_fail_and_no_secret_is_shown(pytester: pytest.Pytester, url: str) -> None:
    pytester.makepyfile(WRONG.format(url=url, zeros="0" * 64))
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider", "--junitxml=report.xml")
    result.assert_outcomes(errors=2)
    said = result.stdout.str() + (pytester.path / "report.xml").read_text(encoding="utf-8")
    # Either promise may be the first to be fetched.
    assert "is not what was promised" in said or "other bytes than are asked for" in said
    assert "its tensors are not those of squeezenet1_0" in said
    assert "5ec4e7" not in said
