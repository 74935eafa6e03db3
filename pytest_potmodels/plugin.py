"""pytest hooks and fixtures, nothing else.

Imported at every pytest start of an environment, so everything heavy is behind a lazy import.
"""

import contextlib
import os
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from pytest_potmodels.config_files import find_config
from pytest_potmodels.settings import OPTIONS, any_variable

if TYPE_CHECKING:
    from pytest_potmodels.artifacts import LoadedModel
    from pytest_potmodels.session.pot_models import PotModels
    from pytest_potmodels.session.run import Run
    from pytest_potmodels.settings.values import Settings

_MARKERS = (
    "pot_preset(name): the preset behind vision_model and language_model in this test.",
    "pot_model(name, kind=None, task=None, auto_class=None, dtype=None): "
    "the model that vision_model or language_model yields here.",
    "requires_model(name, kind=None, task=None, auto_class=None, dtype=None): "
    "as pot_model, and only the real one: without it the test is skipped, or fails in CI.",
)
_OUR_MARKS = ("pot_preset", "pot_model", "requires_model")
_OUR_FIXTURES = ("vision_model", "language_model", "pot_models")  # or ends in one of them

_SETTINGS = pytest.StashKey["Settings"]()
_RUN = pytest.StashKey["Run"]()
_CURRENT = pytest.StashKey[pytest.Item]()


# ---- Start ------------------------------------------------------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    """Offer each setting as an option; values are checked in pytest_configure."""
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


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Declare our own hooks."""
    from pytest_potmodels import hookspecs  # noqa: PLC0415

    pluginmanager.add_hookspecs(hookspecs)


def pytest_configure(config: pytest.Config) -> None:
    """Check the settings; a value that cannot be meant ends the run here."""
    for line in _MARKERS:
        config.addinivalue_line("markers", line)
    if _given(config) or any_variable(os.environ) or find_config(config.rootpath):
        _settings(config)
    if config.pluginmanager.hasplugin("dsession"):
        config.pluginmanager.register(_Controller(), "potmodels-controller")


def pytest_report_header(config: pytest.Config) -> str | None:
    """Show each value that is not the default, and where it is from."""
    said = config.stash[_SETTINGS].non_defaults() if _SETTINGS in config.stash else ()
    return f"potmodels: {', '.join(said)}" if said else None


def _given(config: pytest.Config) -> dict[str, Any]:
    """The options on the command line, by key."""
    options = {name.key: config.getoption(f"pot_{name.key}") for name in OPTIONS}
    options["offline"] = config.getoption("pot_offline")
    return {key: value for key, value in options.items() if value}


def _settings(config: pytest.Config) -> "Settings":
    """Work the settings out, once."""
    if _SETTINGS not in config.stash:
        from pytest_potmodels.errors import UsageError  # noqa: PLC0415
        from pytest_potmodels.settings.resolution import resolve  # noqa: PLC0415

        try:
            config.stash[_SETTINGS] = resolve(_given(config), os.environ, config.rootpath)
        except UsageError as error:
            raise pytest.UsageError(str(error)) from None
    return config.stash[_SETTINGS]


class _Controller:
    """What the controller of pytest-xdist decides for its workers."""

    def pytest_configure_node(self, node: Any) -> None:
        """Give the workers one folder, so that a host is found unreachable once for all."""
        from pytest_potmodels.session.run import share_session_dir  # noqa: PLC0415

        share_session_dir(node.config, node.workerinput)


# ---- Tests ------------------------------------------------------------------------------------


@pytest.hookimpl(wrapper=True)
def pytest_pycollect_makeitem(collector: pytest.Collector) -> Generator[None, Any, Any]:
    """Check marks where tests are collected: a CollectError is in order under xdist, too."""
    made = yield
    for item in made if isinstance(made, list) else ():
        if isinstance(item, pytest.Function) and _asks_for_models(item):
            _run(item.config).check(item, collector)
    return made


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Know the running test: what its body loads is written on its report."""
    item.config.stash[_CURRENT] = item
    try:
        return (yield)
    finally:
        del item.config.stash[_CURRENT]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Have what `requires_model` demands before any fixture runs."""
    if item.get_closest_marker("requires_model") is not None:
        with _without_traceback():
            _run(item.config).session.require(item)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which tests ran on real models, which on mocks, which on none, and why."""
    reports = [report for some in terminalreporter.stats.values() for report in some]
    if not any(getattr(report, "user_properties", ()) for report in reports):
        return
    from pytest_potmodels.reporting.terminal import write_summary  # noqa: PLC0415
    from pytest_potmodels.session.ledger import rows_of  # noqa: PLC0415

    write_summary(terminalreporter, rows_of(reports))


def _asks_for_models(item: pytest.Function) -> bool:
    marked = any(mark.name in _OUR_MARKS for mark in item.iter_markers())
    return marked or any(name.endswith(_OUR_FIXTURES) for name in item.fixturenames)


def _run(config: pytest.Config) -> "Run":
    """What this process knows; the first test that asks for a model pays for the imports."""
    if _RUN not in config.stash:
        from pytest_potmodels.session.run import Run  # noqa: PLC0415

        current = lambda: config.stash.get(_CURRENT, None)  # noqa: E731
        config.stash[_RUN] = Run(config, _settings(config), current)
    return config.stash[_RUN]


@contextlib.contextmanager
def _without_traceback() -> Iterator[None]:
    """An error of ours says what to do; where in our code it was raised helps nobody."""
    from pytest_potmodels.errors import PotModelsError  # noqa: PLC0415

    try:
        yield
    except PotModelsError as error:
        pytest.fail(f"{type(error).__name__}: {error}", pytrace=False)


# ---- Fixtures ---------------------------------------------------------------------------------


def _yielded(request: pytest.FixtureRequest) -> "LoadedModel":
    with _without_traceback():
        return _run(request.config).session.for_fixture(request.node, str(request.fixturename))


@pytest.fixture
def vision_model(request: pytest.FixtureRequest) -> "LoadedModel":
    """A pristine vision model: what the marks name, else the preset's (mobilenet_v2)."""
    return _yielded(request)


@pytest.fixture
def language_model(request: pytest.FixtureRequest) -> "LoadedModel":
    """A pristine language model with tokenizer: what the marks name, else the preset's."""
    return _yielded(request)


@pytest.fixture
def test_vision_model(request: pytest.FixtureRequest) -> "LoadedModel":
    """The TEST preset's vision model: a small CNN without real weights, no download."""
    return _yielded(request)


@pytest.fixture
def test_language_model(request: pytest.FixtureRequest) -> "LoadedModel":
    """The TEST preset's language model: a small LSTM with a byte tokenizer, no download."""
    return _yielded(request)


@pytest.fixture
def minimal_vision_model(request: pytest.FixtureRequest) -> "LoadedModel":
    """The MINIMAL preset's vision model: MobileNetV2."""
    return _yielded(request)


@pytest.fixture
def minimal_language_model(request: pytest.FixtureRequest) -> "LoadedModel":
    """The MINIMAL preset's language model: DistilBERT."""
    return _yielded(request)


@pytest.fixture
def paper_vision_model(request: pytest.FixtureRequest) -> "LoadedModel":
    """The PAPER preset's vision model: ResNet18."""
    return _yielded(request)


@pytest.fixture
def paper_language_model(request: pytest.FixtureRequest) -> "LoadedModel":
    """The PAPER preset's language model: BERT-base."""
    return _yielded(request)


@pytest.fixture(scope="session")
def pot_models(request: pytest.FixtureRequest) -> "PotModels":
    """Models by name, in any scope: .load(name) pristine, .shared(name) one object, .path(name)."""
    return _run(request.config).pot_models
