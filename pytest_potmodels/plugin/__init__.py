"""pytest hooks and fixtures, nothing else.

Imported at every pytest start of an environment. What a run without models does not need is
behind a lazy import: the hooks of `running` are registered when the first test asks for a model.
"""

from __future__ import annotations  # annotations that are never evaluated cost no start-up

import os
from typing import TYPE_CHECKING, Any

import pytest

from pytest_potmodels.settings import OPTIONS, any_variable, find_config

if TYPE_CHECKING:
    from collections.abc import Generator

    from pytest_potmodels.artifacts import LoadedModel
    from pytest_potmodels.plugin.running import ModelHooks
    from pytest_potmodels.session.pot_models import PotModels

_MARKERS = (
    "pot_preset(name): the preset behind vision_model and language_model in this test.",
    "pot_model(name, kind=None, task=None, auto_class=None, dtype=None): "
    "the model that vision_model or language_model yields here.",
    "requires_model(name, kind=None, task=None, auto_class=None, dtype=None): "
    "as pot_model, and only the real one: without it the test is skipped, or fails in CI.",
)
_OUR_MARKS = ("pot_preset", "pot_model", "requires_model")
_OUR_FIXTURES = ("vision_model", "language_model", "pot_models")  # or ends in one of them


# ---- Start ------------------------------------------------------------------------------------


def pytest_addoption(parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager) -> None:
    """Offer each setting as an option, and declare our own hooks."""
    from pytest_potmodels import hookspecs  # noqa: PLC0415

    pluginmanager.add_hookspecs(hookspecs)  # Here, because a hook less is half a million less.
    group = parser.getgroup("potmodels", "real models for tests (pytest-potmodels)")
    for option in OPTIONS:
        words = f": {', '.join(option.choices)}" if option.choices else ""
        group.addoption(
            option.flag,
            dest=f"pot_{option.key}",
            action="append" if option.key == "mirror" else "store",
            metavar=option.metavar or "WORD",
            help=f"{option.help}{words} [{option.env}]",
        )
    group.addoption(
        "--pot-offline", dest="pot_offline", action="store_true", help="as --pot-network=block"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Check the settings, if there are any; a value that cannot be meant ends the run here."""
    for line in _MARKERS:
        config.addinivalue_line("markers", line)
    given = any(value and key.startswith("pot_") for key, value in vars(config.option).items())
    if given or any_variable(os.environ) or find_config(config.rootpath):
        from pytest_potmodels.plugin.running import show_settings  # noqa: PLC0415

        show_settings(config)
    if getattr(config.option, "dist", "no") != "no" and not hasattr(config, "workerinput"):
        from pytest_potmodels.plugin.running import Controller  # noqa: PLC0415

        config.pluginmanager.register(Controller(), "potmodels-controller")


@pytest.hookimpl(wrapper=True)
def pytest_pycollect_makeitem(collector: pytest.Collector) -> Generator[None, Any, Any]:
    """Check marks where tests are collected: a CollectError is in order under xdist, too."""
    made = yield
    for item in made if isinstance(made, list) else ():
        if isinstance(item, pytest.Function) and _asks_for_models(item):
            _hooks(item.config).run.check(item, collector)
    return made


def _asks_for_models(item: pytest.Function) -> bool:
    marked = any(mark.name in _OUR_MARKS for mark in item.iter_markers())
    return marked or any(name.endswith(_OUR_FIXTURES) for name in item.fixturenames)


def _hooks(config: pytest.Config) -> ModelHooks:
    from pytest_potmodels.plugin.running import model_hooks  # noqa: PLC0415

    return model_hooks(config)


# ---- Fixtures ---------------------------------------------------------------------------------


def _yielded(request: pytest.FixtureRequest) -> LoadedModel:
    return _hooks(request.config).for_fixture(request.node, str(request.fixturename))


@pytest.fixture
def vision_model(request: pytest.FixtureRequest) -> LoadedModel:
    """A pristine vision model: what the marks name, else the preset's (mobilenet_v2)."""
    return _yielded(request)


@pytest.fixture
def language_model(request: pytest.FixtureRequest) -> LoadedModel:
    """A pristine language model with tokenizer: what the marks name, else the preset's."""
    return _yielded(request)


@pytest.fixture
def test_vision_model(request: pytest.FixtureRequest) -> LoadedModel:
    """The TEST preset's vision model: a small CNN without real weights, no download."""
    return _yielded(request)


@pytest.fixture
def test_language_model(request: pytest.FixtureRequest) -> LoadedModel:
    """The TEST preset's language model: a small LSTM with a byte tokenizer, no download."""
    return _yielded(request)


@pytest.fixture
def minimal_vision_model(request: pytest.FixtureRequest) -> LoadedModel:
    """The MINIMAL preset's vision model: MobileNetV2."""
    return _yielded(request)


@pytest.fixture
def minimal_language_model(request: pytest.FixtureRequest) -> LoadedModel:
    """The MINIMAL preset's language model: DistilBERT."""
    return _yielded(request)


@pytest.fixture
def paper_vision_model(request: pytest.FixtureRequest) -> LoadedModel:
    """The PAPER preset's vision model: ResNet18."""
    return _yielded(request)


@pytest.fixture
def paper_language_model(request: pytest.FixtureRequest) -> LoadedModel:
    """The PAPER preset's language model: BERT-base."""
    return _yielded(request)


@pytest.fixture(scope="session")
def pot_models(request: pytest.FixtureRequest) -> PotModels:
    """Models by name, in any scope: .load(name) pristine, .shared(name) one object, .path(name)."""
    return _hooks(request.config).run.pot_models
