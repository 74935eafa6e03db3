"""pytest hooks and fixtures, nothing else.

Imported at every pytest start of an environment. What a run without models does not need is
behind a lazy import: the hooks of `running` are registered when the first test asks for a model.
There is no assert to rewrite here, nor in what this imports, and that saves, too:
PYTEST_DONT_REWRITE
"""

from __future__ import annotations  # annotations that are never evaluated cost no start-up

import gc
import os
import sys
from importlib import import_module
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from inspect import signature
from typing import TYPE_CHECKING

import pytest

from pytest_potmodels.settings import LOCK_FILE, TABLE, any_variable, find_config, flag, variable

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable
    from types import ModuleType
    from typing import Any

    from pytest_potmodels.artifacts import LoadedModel
    from pytest_potmodels.plugin.running import ModelHooks

_MARKERS = (
    "pot_preset(name): the preset behind the model fixtures in this test.",
    "pot_model(name, kind=None, task=None, auto_class=None, dtype=None, architecture=None, "
    "variant=None, **overrides): the model that vision_model, language_model, onnx_model or "
    "lut_model yields here; overrides are runtime values of a LUT network.",
    "requires_model(name, kind=None, task=None, auto_class=None, dtype=None, architecture=None, "
    "variant=None, **overrides): as pot_model, and only the real one: without it the test is "
    "skipped, or fails in CI.",
)
_OUR_MARKS = ("pot_preset", "pot_model", "requires_model")
_OUR_FIXTURES = (
    "vision_model",
    "language_model",
    "onnx_model",
    "lut_model",
    "pot_models",
    "lut_heldout",
)  # or ends in one of them


def __dir__() -> list[str]:
    """What pytest is here for: it looks at each name twice, for a hook and for a fixture."""
    return _SHOWN


# ---- Start ------------------------------------------------------------------------------------


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    """Offer each setting as an option, and declare our own hooks."""
    pluginmanager.add_hookspecs(_hookspecs())  # Here: a hook less is half a million less.
    group = parser.getgroup("potmodels", "real models for tests (pytest-potmodels)")
    for key, metavar, words, text in TABLE:
        choices = ": " + words.replace(",", ", ") if metavar == "WORD" else ""
        help_ = f"{text}{choices} [{variable(key)}]"
        if metavar == "-":
            group.addoption(flag(key), dest="pot_" + key, action="store_true", help=help_)
            continue
        action = "append" if key == "mirror" else "store"
        group.addoption(flag(key), dest="pot_" + key, action=action, metavar=metavar, help=help_)
    group.addoption(
        "--pot-offline", dest="pot_offline", action="store_true", help="as --pot-network=block"
    )
    # Two options, because one with an optional value would take a file name for its value.
    for name, form in (("--pot-plan", "table"), ("--pot-plan=json", "json")):
        text = f"run nothing, only say which models the selected tests need ({form})"
        group.addoption(name, dest="pot_plan", action="store_const", const=form, help=text)


def _hookspecs() -> ModuleType:
    """Our module of that name, without pytest's loader: it looks for asserts, for a million."""
    package, name = sys.modules["pytest_potmodels"], "pytest_potmodels.hookspecs"
    found = None if name in sys.modules else PathFinder.find_spec(name, package.__path__)
    if found is None or found.loader is None:  # It is there already, or comes from a zip.
        return import_module(name)
    module = sys.modules[name] = module_from_spec(found)
    found.loader.exec_module(module)
    vars(package)["hookspecs"] = module
    return module


def pytest_configure(config: pytest.Config) -> None:
    """Check the settings, if there are any; a value that cannot be meant ends the run here."""
    for line in _MARKERS:
        config.addinivalue_line("markers", line)
    # A repository in a cache below the tests: its conftest.py is code that nobody may trust.
    config.addinivalue_line("norecursedirs", "pytorch_hub_*--*/code")
    option = vars(config.option)
    said = [row for row in TABLE if option["pot_" + row[0]]]
    if (
        said
        or config.option.pot_offline
        or any_variable(os.environ)
        or find_config(config.rootpath)
        or os.access(f"{config.rootpath}{os.sep}{LOCK_FILE}", os.F_OK)
        or os.access(LOCK_FILE, os.F_OK)
    ):
        from pytest_potmodels.plugin.running import show_settings  # noqa: PLC0415

        show_settings(config)
    if config.option.pot_plan:
        from pytest_potmodels.plugin.planning import plan_only  # noqa: PLC0415

        plan_only(config)
    elif getattr(config.option, "dist", "no") != "no" and not hasattr(config, "workerinput"):
        from pytest_potmodels.plugin.running import Controller  # noqa: PLC0415

        config.pluginmanager.register(Controller(), "potmodels-controller")


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """Pause the garbage collector: test modules import frameworks at their top.

    If one has come, or tests ask for models, what there is stays out of the collector's way: a
    million objects that live to the end. Not in a run inside of a test, whose process goes on.
    """
    plugins = session.config.pluginmanager
    header = plugins.get_plugin("potmodels-header")
    if not gc.isenabled() or (header and header.settings.gc == "keep"):
        return (yield)
    gc.disable()
    try:
        return (yield)
    finally:
        heavy = "torch" in sys.modules or plugins.hasplugin("potmodels-models")
        if heavy and "PYTEST_CURRENT_TEST" not in os.environ:
            gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(session: pytest.Session, items: list[pytest.Item]) -> None:
    """Check marks before the first test runs, on tests of any sort and wherever they come from.

    conftest.py files have added theirs by now, and -k and -m have yet to deselect any.
    """
    asking = asking_for_models(items)
    if asking:
        _hooks(session).run.reject_wrong_marks(items, asking)


def asking_for_models(items: list[pytest.Item]) -> list[pytest.Item]:
    """The tests with a mark or a fixture of ours."""
    places: dict[Any, bool] = {}  # Each class, module and folder is read once for all its tests.
    asking = []
    for item in items:
        place, used = item.parent, getattr(item, "fixturenames", ())
        if place not in places:
            places[place] = place is not None and _marked(place.iter_markers())
        by_fixture = any(name.endswith(_OUR_FIXTURES) for name in used)
        if by_fixture or places[place] or _marked(item.own_markers):
            asking.append(item)
    return asking


def _marked(marks: Iterable[pytest.Mark]) -> bool:
    return any(mark.name in _OUR_MARKS for mark in marks)


def _hooks(session: pytest.Session) -> ModelHooks:
    from pytest_potmodels.plugin.running import model_hooks  # noqa: PLC0415

    return model_hooks(session)


# ---- Fixtures ---------------------------------------------------------------------------------


# What fixtures have in common is worked out once: pytest asks each for its arguments.
_FIXTURE = pytest.fixture()
_SIGNATURE = signature(lambda request: request)


def _yielding(name: str, text: str) -> Any:
    """A fixture that yields a model; functions of their own would cost start-up."""

    def model(request: pytest.FixtureRequest) -> LoadedModel:
        return _hooks(request.session).for_fixture(request)

    model.__doc__ = text  # `pytest --fixtures` shows it
    model.__signature__ = _SIGNATURE  # type: ignore[attr-defined]
    model.__name__ = name
    return _FIXTURE(model)


vision_model = _yielding(
    "vision_model",
    "A pristine vision model: what the marks name, else the preset's (MobileNetV2 by default).",
)
language_model = _yielding(
    "language_model",
    "A pristine language model: what the marks name, else the preset's (DistilBERT by default).",
)
test_vision_model = _yielding(
    "test_vision_model",
    "The TEST preset's vision model: a small CNN without real weights, no download.",
)
test_language_model = _yielding(
    "test_language_model",
    "The TEST preset's language model: a small LSTM with a byte tokenizer, no download.",
)
minimal_vision_model = _yielding(
    "minimal_vision_model", "The MINIMAL preset's vision model: MobileNetV2."
)
minimal_language_model = _yielding(
    "minimal_language_model", "The MINIMAL preset's language model: DistilBERT."
)
paper_vision_model = _yielding("paper_vision_model", "The PAPER preset's vision model: ResNet18.")
paper_language_model = _yielding(
    "paper_language_model", "The PAPER preset's language model: BERT-base."
)
onnx_model = _yielding(
    "onnx_model",
    "As ONNX, the model that the marks name, else the preset's vision model: call it by name.",
)
test_onnx_model = _yielding("test_onnx_model", "The TEST preset's vision model as ONNX.")
minimal_onnx_model = _yielding("minimal_onnx_model", "The MINIMAL preset's vision model as ONNX.")
paper_onnx_model = _yielding("paper_onnx_model", "The PAPER preset's vision model as ONNX.")
lut_model = _yielding(
    "lut_model",
    "A pristine LUT network: what the marks name, else digits_small; .hardened() has integers.",
)


_SESSION = pytest.fixture(scope="session")


def _of_session(name: str, text: str) -> Any:
    """A fixture of session scope: what `ModelHooks` has under its name."""

    def found(request: pytest.FixtureRequest) -> Any:
        return getattr(_hooks(request.session), name)

    found.__doc__ = text
    found.__signature__ = _SIGNATURE  # type: ignore[attr-defined]
    found.__name__ = name
    return _SESSION(found)


pot_models = _of_session(
    "pot_models",
    "Models by name, in any scope: .load(name) pristine, .shared(name) one object, .path(name).",
)
lut_heldout = _of_session(
    "lut_heldout", "The 360 digits that no LUT network was trained on: .images and .labels."
)

_SHOWN = [name for name in globals() if name[:7] == "pytest_" or name.endswith(_OUR_FIXTURES)]
