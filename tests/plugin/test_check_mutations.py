"""--pot-check-mutations: which tests changed their models, and what they changed."""

import re
from collections.abc import Callable

import pytest

Project = Callable[..., pytest.RunResult]

ON = "--pot-check-mutations"


def told(result: pytest.RunResult) -> dict[str, list[str]]:
    """The section's lines, by test: the model and what was changed in it."""
    text = result.stdout.str()
    if "changed models" not in text:
        return {}
    _, _, section = text.partition("changed models")
    lines = re.findall(r"^test_models\.py::(\S+)  (\S+): (.+)$", section, re.MULTILINE)
    found: dict[str, list[str]] = {}
    for test, _, what in lines:
        found.setdefault(test, []).append(what)
    return found


USES = """
import pytest, torch

IDS = torch.tensor([[5, 7, 9, 2]])
pytestmark = pytest.mark.pot_model("gpt")

def test_without_gradients(language_model):
    with torch.no_grad():
        language_model(IDS)

def test_in_inference_mode(language_model):
    with torch.inference_mode():
        language_model(IDS)

def test_with_autograd(language_model):
    torch.autograd.grad(language_model(IDS).logits.sum(), [*language_model.model.parameters()])

def test_generates(language_model):
    language_model.model.generate(IDS, max_new_tokens=3)

def test_reads(language_model, tmp_path):
    torch.save(language_model.model.state_dict(), tmp_path / "state.pt")
    language_model.checksum, language_model.memory_mb, language_model.config, str(language_model)
    language_model.model.lm_head.weight.detach().numpy().sum()

def test_an_image(pot_models, language_model):
    resnet = pot_models.load("resnet")
    with torch.no_grad():
        resnet(torch.zeros(1, 3, 64, 64))
    resnet(torch.zeros(1, 3, 64, 64))

def test_by_name(pot_models):
    pot_models.load("bert")(IDS)
    pot_models.shared("bert")(IDS)

def test_only_asks(language_model): ...

def test_none(): ...
"""


@pytest.mark.parametrize(
    "options",
    [
        pytest.param((), id="one process"),
        pytest.param(("-n2",), id="two workers", marks=pytest.mark.slow),
    ],
)
def test_tests_that_only_use_their_models_are_not_named(
    project: Project, options: tuple[str, ...]
) -> None:
    result = project(USES, ON, *options)
    result.assert_outcomes(passed=9)
    assert told(result) == {}


CHANGES = """
import pytest, torch
from torch import nn

IDS = torch.tensor([[5, 7, 9, 2]])
pytestmark = pytest.mark.pot_model("bert")

def test_writes(language_model):
    language_model.model.pooler.dense.bias.data.fill_(1)

def test_trains(language_model):
    model = language_model.model.train()
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    model(IDS).pooler_output.sum().backward()
    optimizer.step()

def test_hooks(language_model):
    language_model.model.register_forward_hook(print)

def test_switches(language_model):
    language_model.model.train()

def test_replaces(language_model):
    language_model.model.pooler.dense = nn.Linear(32, 32).eval()

def test_halves(language_model):
    language_model.model.pooler.half()

def test_freezes(language_model):
    language_model.model.pooler.requires_grad_(False)

def test_leaves_gradients(language_model):
    language_model(IDS).pooler_output.sum().backward()

def test_fails(language_model):
    language_model.model.pooler.dense.bias.data.fill_(3)
    raise ValueError("on the way")

@pytest.fixture
def trained(language_model):
    language_model.model.pooler.dense.weight.data.zero_()
    return language_model

def test_in_a_fixture(trained): ...

def test_by_name(pot_models):
    pot_models.load("bert").model.pooler.dense.bias.data.fill_(1)
    pot_models.load("gpt").model.lm_head.weight.data.zero_()

def test_in_a_loop(pot_models):
    for _ in range(20):
        model = pot_models.load("gpt").model
        model.lm_head.weight.data.zero_()
        del model

def test_through_numpy(language_model):
    language_model.model.pooler.dense.bias.detach().numpy()[:] = 2

def test_builds(pot_models):
    pot_models.load("bert", build=lambda _: nn.Linear(2, 2)).model.bias.data.fill_(1)

def test_innocent(language_model):
    language_model(IDS)
"""

EXPECTED = {
    "test_writes": ["wrote pooler.dense.bias"],
    "test_trains": ["wrote .*; switched between training and evaluation; left gradients"],
    "test_hooks": ["added hooks"],
    "test_switches": ["switched between training and evaluation"],
    "test_replaces": ["replaced pooler.dense.weight, pooler.dense.bias"],
    "test_halves": ["replaced pooler.dense.weight, pooler.dense.bias"],
    "test_freezes": ["changed requires_grad"],
    "test_leaves_gradients": ["left gradients"],
    "test_fails": ["wrote pooler.dense.bias"],
    "test_in_a_fixture": ["wrote pooler.dense.weight"],
    "test_by_name": ["wrote pooler.dense.bias", "wrote transformer.wte.weight"],
    "test_in_a_loop": ["wrote transformer.wte.weight"],
    "test_through_numpy": ["wrote pooler.dense.bias"],
    "test_builds": ["wrote bias"],
}

#: Nobody can tell written pages: all bytes are compared.
NO_SCAN = """
from pytest_potmodels.loading import original
original.best_scan = lambda: None
"""


@pytest.mark.parametrize(
    ("options", "conftest"),
    [
        pytest.param(("-q",), "", id="one process, quiet"),
        pytest.param(("-n2",), "", id="two workers", marks=pytest.mark.slow),
        pytest.param((), NO_SCAN, id="no scan", marks=pytest.mark.slow),
    ],
)
def test_each_test_that_changes_its_model_is_named_with_what_it_changed(
    project: Project, options: tuple[str, ...], conftest: str
) -> None:
    result = project(CHANGES, ON, *options, conftest=conftest)
    result.assert_outcomes(passed=14, failed=1)
    found = told(result)
    assert set(found) == set(EXPECTED)
    for test, patterns in EXPECTED.items():
        assert len(found[test]) == len(patterns), test
        for said, pattern in zip(sorted(found[test]), sorted(patterns), strict=True):
            assert re.fullmatch(pattern.replace(".", r"\.").replace(r"\.*", ".*"), said), test


def test_without_the_option_nothing_is_said(project: Project) -> None:
    result = project(CHANGES, "-k", "test_writes")
    result.assert_outcomes(passed=1, deselected=14)
    assert told(result) == {}
    assert "changed models" not in result.stdout.str()


SHARED = """
import pytest, torch

@pytest.fixture(scope="module")
def wide(pot_models):
    return pot_models.load("bert").model

def test_a_reads(pot_models, wide): pot_models.shared("gpt").model.lm_head.weight.sum()

def test_b_writes(pot_models, wide):
    pot_models.shared("gpt").model.lm_head.weight.data.zero_()
    wide.pooler.dense.bias.data.fill_(1)

def test_c_reads(pot_models, wide):
    pot_models.shared("gpt").model.lm_head.weight.sum()
    assert wide.pooler.dense.bias.all()

def test_d_hooks(pot_models, wide): pot_models.shared("gpt").model.register_forward_hook(print)

def test_e_is_not_concerned(): ...

def test_f_writes_more(wide): wide.pooler.dense.weight.data.zero_()
"""


def test_of_what_tests_share_those_are_named_that_change_it(project: Project) -> None:
    found = told(project(SHARED, ON))
    assert set(found) == {"test_b_writes", "test_d_hooks", "test_f_writes_more"}
    changed = sorted(found["test_b_writes"])
    assert changed == ["wrote pooler.dense.bias", "wrote transformer.wte.weight"]
    assert found["test_d_hooks"] == ["wrote transformer.wte.weight; added hooks"]
    assert found["test_f_writes_more"] == ["wrote pooler.dense.weight, pooler.dense.bias"]


def test_what_is_found_is_on_the_report_of_the_test(
    project: Project, pytester: pytest.Pytester
) -> None:
    project(CHANGES, ON, "--junitxml=report.xml", "-k", "test_writes")
    report = (pytester.path / "report.xml").read_text(encoding="utf-8")
    assert "wrote pooler.dense.bias" in report
