"""The pytest plugin: options, selection of cases, the census and the verdict tables at the end."""

from __future__ import annotations

import gc
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .selection import Session

SESSION = pytest.StashKey["Session"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("goldenstep", "Goldenstep: is your Adam really Adam?")
    group.addoption(
        "--impl",
        metavar="NAME",
        help="what to judge: reference (default), keras, tf_keras, a module shaped like Keras, module:factory, "
        "or 'cmd: node adapter.mjs', a process that speaks the protocol",
    )
    group.addoption(
        "--isolate", action="store_true", help="run a Python implementation in a process of its own: a crash is a case"
    )
    group.addoption(
        "--timeout",
        type=float,
        metavar="SECONDS",
        help="how long a case may take in a process of its own (default: 60)",
    )
    group.addoption(
        "--edition", action="append", metavar="ID", help="only this edition, e.g. tf2.4 or keras3; repeatable"
    )
    group.addoption(
        "--optimizer",
        action="append",
        metavar="NAME",
        help="only this optimizer, e.g. Adam, its configurations and saved weights among them; repeatable",
    )
    group.addoption(
        "--feature", action="append", metavar="NAME", help="only cases of this feature, e.g. dense; repeatable"
    )
    group.addoption("--case", action="append", metavar="ID", help="only this case; repeatable")
    group.addoption(
        "--errata",
        choices=["either", "shipped", "documented"],
        default="either",
        help="where a release contradicts its documentation: which of the two to ask for (default: either will do)",
    )
    group.addoption(
        "--tolerance",
        metavar="exact|port|ulp:N",
        help="what differs only by rounding, each operation by N ulp (port: 4), is close and passes "
        "(default: exact, unless the implementation is a port and says so)",
    )
    group.addoption(
        "--known-failures",
        type=Path,
        metavar="FILE",
        help="a TOML file of expected failures; any other failure fails, and so does a listed case that passes",
    )
    group.addoption(
        "--update-known-failures", action="store_true", help="write that file anew from this run, keeping its reasons"
    )
    group.addoption(
        "--report", type=Path, metavar="FILE", help="write every verdict to this file, as JSON for `goldenstep report`"
    )
    group.addoption("--smoke", action="store_true", help="one case per optimizer and edition: seconds, not minutes")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "conformance: a verdict about the implementation under test")
    options = config.option
    if str(config.getoption("hypothesis_profile", None)).startswith("goldenstep"):
        from . import strategies  # noqa: F401  # it registers the profiles, before hypothesis looks for them
    choosing = [options.edition, options.optimizer, options.feature, options.case, options.smoke]
    how = [options.tolerance, options.known_failures, options.update_known_failures, options.report]
    if any([options.impl, options.timeout is not None, *choosing, *how]):
        session(config)


def session(config: pytest.Config) -> Session:
    """The implementation and the selected cases; pytest.UsageError if the options ask for what doesn't exist."""
    if SESSION not in config.stash:
        from .closeness import ToleranceError, ulps_of
        from .implementations import UnknownImplementationError
        from .known_failures import KnownFailuresError
        from .selection import Selection, UnknownSelectionError, session_of

        option = config.option
        if option.report and not option.report.absolute().parent.is_dir():
            raise pytest.UsageError(f"--report={option.report}: there is no folder {option.report.parent}")
        selection = Selection(option.edition, option.optimizer, option.feature, option.case, option.smoke)
        try:
            ulps_of(option.tolerance or "exact")
            config.stash[SESSION] = session_of(
                option.impl or "reference",
                selection,
                option.isolate,
                option.timeout,
                option.known_failures,
                option.update_known_failures,
            )
        except (ToleranceError, UnknownImplementationError, UnknownSelectionError, KnownFailuresError) as error:
            raise pytest.UsageError(str(error)) from error
    return config.stash[SESSION]


def pytest_unconfigure(config: pytest.Config) -> None:
    if SESSION in config.stash:
        getattr(config.stash[SESSION].implementation, "close", lambda: None)()


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """The properties are no part of a run that asks for certain goldens."""
    asked = config.option.case or config.option.smoke or config.option.feature
    return True if asked and collection_path.name == "test_properties.py" else None


def pytest_pycollect_makemodule(module_path: Path) -> None:
    """An installed suite leaves no compiled test: pip would not remove it, and the folder that stays would hide a clone
    that is installed in its place with `pip install -e`."""
    package = Path(__file__).parent
    if module_path.is_relative_to(package) and package.is_relative_to(sysconfig.get_path("purelib")):
        sys.dont_write_bytecode = True


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "golden_id" in metafunc.fixturenames:
        ids = session(metafunc.config).ids
        metafunc.parametrize("golden_id", ids, ids=ids)


def pytest_collection_finish(session: pytest.Session) -> None:
    """The items stay to the end: a garbage collector that went through them all took an eighth of the time."""
    if SESSION in session.config.stash:
        gc.freeze()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> bool | None:
    """Goldens run by the thousand and share all that they need: no setup, no teardown, a third of pytest's time.

    JUnit's plugin writes a case down at its teardown, so with --junit-xml they run as any test does.
    """
    if getattr(item, "originalname", None) != "test_golden" or item.config.getoption("xmlpath", None):
        return None
    assert isinstance(item, pytest.Function)
    item.funcargs = {
        "golden_id": item.callspec.params["golden_id"],
        "conformance_session": session(item.config),
        "pytestconfig": item.config,
        "record_property": lambda name, value: item.user_properties.append((name, value)),
    }
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    call = pytest.CallInfo.from_call(item.runtest, "call", (KeyboardInterrupt, pytest.exit.Exception))
    report = item.ihook.pytest_runtest_makereport(item=item, call=call)
    item.ihook.pytest_runtest_logreport(report=report)
    if report.failed:
        item.ihook.pytest_exception_interact(node=item, call=call, report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


@pytest.fixture(scope="session")
def conformance_session(request: pytest.FixtureRequest) -> Session:
    """The implementation under test, and the goldens it is judged by."""
    return session(request.config)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Collect the records that tests leave in their report; this runs where the table is printed, also under xdist."""
    if report.when == "call":
        _collected.extend(records_of(report))
        _properties.extend(records_of(report, "goldenstep-property"))
    if report.failed and not records_of(report) and not records_of(report, "goldenstep-property"):
        _broken.append(report.nodeid)


_collected: list[dict[str, Any]] = []
_properties: list[dict[str, Any]] = []
_broken: list[str] = []


def records_of(report: pytest.TestReport, kind: str = "goldenstep") -> list[dict[str, Any]]:
    """The records of verdicts that a report carries."""
    properties: list[tuple[str, Any]] = list(report.user_properties)
    return [value for name, value in properties if name == kind]


def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, str] | None:
    """An unsupported case is neither passed nor skipped."""
    if report.when == "call" and any(record["verdict"] == "unsupported" for record in records_of(report)):
        return "unsupported", "u", "UNSUPPORTED"
    return None


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """A run in which every case is unsupported has judged nothing, which is not well."""
    if nothing_judged() and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.NO_TESTS_COLLECTED


def nothing_judged() -> bool:
    """Were there cases, and none that was run?"""
    return bool(_collected) and not _properties and all(record["verdict"] == "unsupported" for record in _collected)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """The verdict tables, and what is known to fail."""
    if _collected:
        from .report import print_tables

        print_tables(terminalreporter, _collected, session(config))
    if nothing_judged():
        terminalreporter.write_line("nothing was judged: every selected case is unsupported", red=True)
    if _collected and config.option.report:
        from . import report_file

        report_file.write(config.option.report, report_file.report(session(config), config, _collected, _properties))
        terminalreporter.write_line(f"report: {config.option.report}")
    if SESSION in config.stash and session(config).known.path:
        from .report import print_known

        print_known(terminalreporter, _collected + _properties, _broken, session(config))
