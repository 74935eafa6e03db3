"""`--pot-plan`: collect, say which models the selected tests need, and run nothing."""

import sys
from collections.abc import Generator
from typing import TextIO

import pytest

from pytest_potmodels.plugin.running import model_hooks


def plan_only(config: pytest.Config) -> None:
    """Have this run collect only: no test, and no worker of xdist, which starts none for that."""
    config.option.collectonly = True
    form = config.option.pot_plan
    out = _divert_stdout(config) if form == "json" else None
    config.pluginmanager.register(Planning(out), "potmodels-planning")


class Planning:
    """Shows the plan in place of the run; `out` takes JSON."""

    def __init__(self, out: TextIO | None) -> None:
        self._out = out

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collection_finish(self, session: pytest.Session) -> Generator[None]:
        """Keep the tree of all tests off the terminal: it would bury the plan."""
        option = session.config.option
        option.collectonly = False
        try:
            return (yield)
        finally:
            option.collectonly = True

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> None:
        """Show the plan, unless tests could not be collected: it would look whole, and not be."""
        reporter = session.config.pluginmanager.getplugin("terminalreporter")
        if session.testsfailed:
            said = "no plan: not all tests could be collected"
            if reporter is not None:
                reporter.write_line(f"potmodels: {said}", red=True)
            return
        _show(session, reporter, self._out)


def _show(
    session: pytest.Session, reporter: pytest.TerminalReporter | None, out: TextIO | None
) -> None:
    from pytest_potmodels.reporting import plan as texts  # noqa: PLC0415 - only of such runs
    from pytest_potmodels.session.outlook import outlooks, room_for  # noqa: PLC0415

    run = model_hooks(session).run
    plan = run.look_ahead(session.items).plan
    models = outlooks(plan, run.pipeline)
    if out is not None:
        out.write(texts.as_json(models) + "\n")
        out.flush()
    lines = texts.table(models, room_for(models, run.pipeline))
    if reporter is None:
        if out is None:
            sys.stdout.write("".join(f"{line.text}\n" for line in lines))
        return
    reporter.ensure_newline()
    reporter.section("models needed")
    for line in lines:
        reporter.write_line(line.text, **{line.colour: True})


def _divert_stdout(config: pytest.Config) -> TextIO:
    """Have all that is written to stdout go to stderr, but for what is written to the answer.

    pytest's capture remembers the stream that it goes back to, so it starts anew.
    """
    real = sys.stdout
    capture = config.pluginmanager.getplugin("capturemanager")
    if capture is None:  # -p no:capture
        config.add_cleanup(lambda: setattr(sys, "stdout", real))
        sys.stdout = sys.stderr
        return real
    said = capture.read_global_capture()
    capture.stop_global_capturing()
    sys.stdout = sys.stderr
    sys.stderr.write(said.out + said.err)
    capture.start_global_capturing()
    capture.suspend_global_capture()

    def restore() -> None:
        capture.stop_global_capturing()
        sys.stdout = real

    config.add_cleanup(restore)
    return real
