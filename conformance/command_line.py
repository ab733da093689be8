"""The command `goldenstep`: judge, explain, tell differences, record. `goldenstep --help` is the manual."""

from __future__ import annotations

import argparse
import difflib
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from rich.console import Console

from goldenstep import spec
from goldenstep.golden.files import GoldenError

from . import converting
from .implementations import ERRATA, UnknownImplementationError
from .selection import UnknownSelectionError

WELL, DIFFERS, WRONG_USE = 0, 1, 2
EXIT_STATUS = "exit status: 0 all well or nothing differs, 1 something differs, 2 wrong use or it can't be run"

NOT_OPTIMIZERS = ("schedules", "files")
"""Golden files that are of a release, not of an optimizer."""

MANUAL = f"""\
examples:
  goldenstep check --impl=mypkg                     is mypkg.optimizers.Adam really Adam, and all the others?
  goldenstep explain Adam                           which editions share a rule, and what differs
  goldenstep explain Adam --edition keras3          the whole specification of one, with the source of its rules
  goldenstep diff tf2.15 keras3                     what a migration from one edition to the other changes
  goldenstep compare reference keras --optimizer Adam
                                                    the same inputs on two implementations, live
  goldenstep replay P-54 --impl=mypkg < case.json   a case that broke a property, once more
  goldenstep convert old.h5 --into new.keras --output converted.keras
                                                    an optimizer with its state from one edition to another

`goldenstep COMMAND --help` says more about a command, with examples.
Colours: on a terminal only, and never with NO_COLOR=1 in the environment.

{EXIT_STATUS}
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit status: 0 all well, 1 something differs, 2 wrong use or can't run."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    cut = given.index("--") if "--" in given else len(given)
    own, for_pytest = given[:cut], given[cut + 1 :]
    parser = the_parser()
    try:
        options, unknown = parser.parse_known_args(own)
        if "run" not in options:
            parser.print_help(sys.stderr)
            return WRONG_USE
        if unknown and options.run is not golden:
            options.parser.error(f"unrecognized arguments: {' '.join(unknown)}.{options.unknown_hint}")
        if for_pytest and options.run is not check:
            options.parser.error("only `goldenstep check` takes arguments for pytest, after `--`")
        options.own, options.for_pytest = own, for_pytest
        status: int = options.run(options)
    except SystemExit as end:  # argparse, and a pipe that closed early
        return end.code if isinstance(end.code, int) else WRONG_USE
    except (UnknownSelectionError, UnknownImplementationError, GoldenError) as error:
        print(f"goldenstep: {error}", file=sys.stderr)
        return WRONG_USE
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return WRONG_USE
    except OSError as error:  # a file that was named and can't be read or written
        if error.filename is None:
            raise
        print(f"goldenstep: {error.filename}: {error.strerror}", file=sys.stderr)
        return WRONG_USE
    except KeyboardInterrupt:
        print("goldenstep: interrupted", file=sys.stderr)
        return WRONG_USE
    return status


# ---- the commands ----------------------------------------------------------------------------------------------


def check(options: argparse.Namespace) -> int:
    """`goldenstep check`: the suite, by pytest in a process of its own."""
    suite = [sys.executable, "-m", "pytest", "--pyargs", "goldenstep.conformance"]
    status = subprocess.run([*suite, *options.own[1:], *options.for_pytest], check=False).returncode
    return {0: WELL, 1: DIFFERS}.get(status, WRONG_USE)


def explain(options: argparse.Namespace) -> int:
    """`goldenstep explain`."""
    from .explain import explain_edition, explain_everywhere

    optimizer = optimizer_called(options.optimizer)
    if options.edition is None:
        explain_everywhere(console(), optimizer)
    else:
        edition = edition_called(options.edition)
        must_have(optimizer, edition)
        explain_edition(console(), optimizer, edition)
    return WELL


def diff(options: argparse.Namespace) -> int:
    """`goldenstep diff`: of editions if both names are such, else of folders."""
    from .differences import diff_editions, diff_folders

    only = options.optimizer and optimizer_called(options.optimizer)
    names = [options.one, options.two]
    editions = {name.lower(): name for name in spec.editions()}
    if all(name.lower() in editions for name in names):
        one, two = (editions[name.lower()] for name in names)
        if only and only not in spec.available(one):
            must_have(only, two)
        return int(diff_editions(console(), one, two, only))
    if all(Path(name).is_dir() for name in names):
        for name in names:
            if not any(list(Path(name).glob(f"{edition}/*.jsonl")) for edition in spec.editions()):
                raise UnknownSelectionError(
                    f"{name}: expected a folder of goldens such as {name.rstrip('/')}/tf2.4/adam.jsonl, as "
                    "`goldenstep record --folder` writes them."
                )
        return int(diff_folders(console(), Path(names[0]), Path(names[1]), only))
    kinds = f"Give two editions, of {', '.join(editions.values())}, or two folders of goldens."
    for name in names:
        if name.lower() not in editions and not Path(name).is_dir():
            raise UnknownSelectionError(
                f"{name} is neither an edition nor a folder.{near(name, editions.values())} {kinds}"
            )
    raise UnknownSelectionError(f"{names[0]} and {names[1]}: an edition and a folder. {kinds}")


def compare(options: argparse.Namespace) -> int:
    """`goldenstep compare`."""
    from .side_by_side import compare_live, sides, spelled_out

    optimizer = optimizer_called(options.optimizer)
    edition = options.edition and edition_called(options.edition)
    if edition:
        must_have(optimizer, edition)
    for name in (options.one, options.two):
        own = spelled_out(name)[1]
        if own:
            must_have(optimizer, own)
        elif "@" in name and not name.startswith("cmd:"):
            edition_called(name.rpartition("@")[2])
    import_from_here()
    with Console(stderr=True).status("loading"):
        one, two = sides([options.one, options.two], optimizer, edition)
    different = compare_live(console(), one, two, optimizer, options.all, options.output)
    return WRONG_USE if different is None else int(different)


def report(options: argparse.Namespace) -> int:
    """`goldenstep report`."""
    from .report_file import ReportError, read
    from .report_page import badge, page

    try:
        documents = [read(Path(name)) for name in options.reports]
    except ReportError as error:
        print(f"goldenstep: {error}", file=sys.stderr)
        return WRONG_USE
    reports = [document for document in documents if "header" in document]
    comparisons = [document for document in documents if "comparison" in document]
    options.output.write_text(page(reports, comparisons), "utf-8")
    print(f"{options.output}: reports {len(reports)}, comparisons {len(comparisons)}")
    if options.badges:
        options.badges.mkdir(parents=True, exist_ok=True)
        for one in reports:
            for edition in one["header"]["editions"]:
                path = options.badges / f"{one['header']['implementation']['name']}-{edition}.svg"
                path.write_text(badge(one, edition), "utf-8")
                print(path)
    return WELL


def adapter(options: argparse.Namespace) -> int:
    """`goldenstep adapter check` and `goldenstep adapter new`."""
    from .adapter_check import check_adapter, new

    if options.action == "new":
        return new(Path(options.name))
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    edition = options.edition and edition_called(options.edition)
    return check_adapter(console(), options.name, edition, options.isolate, options.timeout)


def replay(options: argparse.Namespace) -> int:
    """`goldenstep replay`: one property on one case."""
    from .replay import case_from, replay

    import_from_here()
    case = case_from(options.case)
    return replay(options.property, options.impl, case, options.errata, options.isolate, options.timeout)


def promote(options: argparse.Namespace) -> int:
    """`goldenstep promote`: a case becomes a golden."""
    from goldenstep.golden.oracle_process import OracleError
    from goldenstep.golden.promote import judged, promote

    from .keras_shaped import reference
    from .replay import case_from
    from .verdict import fails, judge

    try:
        golden = promote(case_from(options.case), options.name, options.python, options.folder)
    except OracleError as error:
        print(f"goldenstep: {error}", file=sys.stderr)
        return WRONG_USE
    record = judge(reference(), judged(golden, options.folder), golden["trajectory"])
    print(f"{record.id}: recorded. The reference: {record.verdict.value}. {record.reason}".rstrip())
    return DIFFERS if fails(record) else WELL


def import_from_here() -> None:
    """As `goldenstep check` finds a module that is not installed."""
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())


def golden(options: argparse.Namespace) -> int:
    """`goldenstep record` and `goldenstep verify`: what `python -m goldenstep.golden` does."""
    from goldenstep.golden.__main__ import main as golden_main

    if options.optimizer not in (None, *NOT_OPTIMIZERS):
        optimizer_called(options.optimizer)
    try:
        return golden_main(options.own)
    except ModuleNotFoundError as error:
        print(f"goldenstep: {error}; recording needs more: pip install 'goldenstep[dev]'", file=sys.stderr)
        return WRONG_USE


# ---- names -----------------------------------------------------------------------------------------------------


def optimizer_called(name: str) -> str:
    """The optimizer of this name, whatever its case; UnknownSelectionError that says what would have been right."""
    return called(name, list(spec.optimizers()), "optimizer")


def edition_called(name: str) -> str:
    """The edition of this name, whatever its case; UnknownSelectionError that says what would have been right."""
    return called(name, list(spec.editions()), "edition")


def called(name: str, known: Sequence[str], kind: str) -> str:
    """The known name that is meant."""
    spelled = {one.lower(): one for one in known}
    if name.lower() not in spelled:
        raise UnknownSelectionError(f"no {kind} {name!r}.{near(name, known)} There are {', '.join(known)}.")
    return spelled[name.lower()]


def near(name: str, known: Iterable[str]) -> str:
    """A guess at what was meant: ` Do you mean Adam?`, or nothing."""
    spelled = {one.lower(): one for one in known}
    guesses = difflib.get_close_matches(name.lower(), spelled, 2, 0.5)
    return f" Do you mean {' or '.join(spelled[guess] for guess in guesses)}?" if guesses else ""


def must_have(optimizer: str, edition: str) -> None:
    """UnknownSelectionError unless the edition has the optimizer."""
    if optimizer not in spec.available(edition):
        where = ", ".join(e for e in spec.editions() if optimizer in spec.available(e))
        instead = ", ".join(spec.available(edition))
        raise UnknownSelectionError(f"{edition} has no {optimizer}, only {where} has. {edition} has {instead}.")


def new_file(name: str) -> Path:
    """The path of a file to write; argparse refuses it, before any work is done, if its folder does not exist."""
    path = Path(name)
    if not path.absolute().parent.is_dir():
        raise argparse.ArgumentTypeError(f"{name}: there is no folder {path.parent}")
    return path


def console() -> Console:
    """Standard output: coloured on a terminal unless NO_COLOR is set, 120 columns wide elsewhere unless COLUMNS is."""
    width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else 120
    return Console(width=width, highlight=False, emoji=False)


# ---- the manual ------------------------------------------------------------------------------------------------


class PytestOptions:
    """The plugin's options, declared for pytest, as options of argparse: `check` takes what the suite takes."""

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        self._parser = parser
        self._group: Any = parser

    def getgroup(self, name: str, description: str = "") -> PytestOptions:
        """A group of options."""
        self._group = self._parser.add_argument_group("options of the suite")
        return self

    def addoption(self, *names: str, **settings: Any) -> None:
        """An option, with what argparse's `add_argument` takes."""
        self._group.add_argument(*names, **settings)


def the_parser() -> argparse.ArgumentParser:
    """The parser of the whole command line, which is its manual, too."""
    parser = argparse.ArgumentParser(
        "goldenstep",
        description="Is your Adam really Adam? A conformance suite for the optimizers of Keras.",
        epilog=MANUAL,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"goldenstep {metadata.version('goldenstep')}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")

    def command(
        name: str, run: Callable[[argparse.Namespace], int], summary: str, about: str, unknown_hint: str = ""
    ) -> argparse.ArgumentParser:
        made = commands.add_parser(
            name,
            help=summary,
            description=about.partition("examples:")[0].strip(),
            epilog=f"examples:{about.partition('examples:')[2].rstrip()}\n\n{EXIT_STATUS}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        made.set_defaults(run=run, parser=made, unknown_hint=unknown_hint)
        return made

    add_check(command("check", check, "judge an implementation by the goldens", CHECK, " Pytest's own go after `--`."))
    add_explain(command("explain", explain, "the specification of an optimizer, and the source of its rules", EXPLAIN))
    add_diff(command("diff", diff, "what differs between two editions, or two folders of goldens", DIFF))
    add_compare(command("compare", compare, "run two implementations on the same inputs", COMPARE))
    add_report(command("report", report, "make a page of the reports that check --report writes", REPORT))
    add_adapter(command("adapter", adapter, "try an adapter that you are writing, or begin one", ADAPTER))
    add_replay(command("replay", replay, "one property on one case, as a failure printed it", REPLAY))
    add_promote(command("promote", promote, "record a case and keep it as a golden", PROMOTE))
    converting.add_options(
        command("convert", converting.run, "carry an optimizer with its state to another edition", converting.ABOUT)
    )
    add_golden(command("record", golden, "record goldens from a real release", RECORD))
    add_golden(command("verify", golden, "run recorded cases on the real release again", VERIFY))
    return parser


CHECK = """
Judge an implementation: run the recorded cases on it and say of each whether it computes, to the bit, what the
real release computed. This is `pytest --pyargs goldenstep.conformance` with the same options; what stands after
`--` goes to pytest.

examples:
  goldenstep check                                    the numpy reference, all editions
  goldenstep check --impl=mypkg --smoke               a first impression of your own, in seconds
  goldenstep check --impl=keras --optimizer Adam      the Keras that is installed, Adam only
  goldenstep check --impl=mypkg -- -x -n 2            stop at the first failure, two processes (pytest-xdist)
"""

EXPLAIN = """
The specification of an optimizer. With --edition everything about one edition: arguments, state, clauses, bounds,
and the source of the rules that it uses. Without, all editions side by side: which share a rule (the same rule is
the same bits), and what differs where they don't. Case does not matter in names.

examples:
  goldenstep explain Adam                      is Adam the same in all editions?
  goldenstep explain adam --edition keras3     what does Adam of Keras 3 compute, in which order?
  goldenstep explain Nadam | less              plain text where it isn't a terminal
"""

DIFF = """
What differs between two editions: the pipeline around the rules, arguments and defaults, and for every optimizer
the rule of each variant, also inside tf.function (same bits or not, and the lines that differ), names and order of
the state, errors.
Or, given two folders of goldens, which cases differ, and where each parts first.

examples:
  goldenstep diff tf2.15 keras3                       what does moving to Keras 3 change?
  goldenstep diff tf2.4 keras3 --optimizer Adam       the same for one optimizer
  goldenstep diff golden/recorded /tmp/recorded       two recordings, of two machines for instance
"""

COMPARE = """
Run the inputs of the recorded cases on two implementations, live, and compare variables and state: equal to the
bit, or in how many cases they differ, since which step, and by how much after 1, 10, 100 and 1,000 steps.
An implementation is what `goldenstep check --impl` takes, and may name its edition: `reference@tf2.15`. Without
any, the newest edition that both claim is taken; if they claim none together, each follows its own newest. An
edition alone is the reference as that edition. The answer ends with a sentence: equal, equal under a mapping (hyper-
parameters that have to be given, because defaults differ), or different, since when and by how much.

examples:
  goldenstep compare reference keras --optimizer Adam
  goldenstep compare mypkg reference --optimizer SGD --edition keras3
  goldenstep compare tf2.15 keras3 --optimizer Nadam      by how much do two editions differ?
  goldenstep compare keras torch --optimizer Adam -o adam.json && goldenstep report adam.json     with a plot
"""

REPORT = """
Make one HTML page of one or more reports: a matrix of implementations, optimizers and features, and every case that
differs with its first difference, the error after each step, and a script. The page needs no network and no other file.

examples:
  goldenstep report report.json -o report.html        after goldenstep check --impl=mypkg --report=report.json
  goldenstep report reports/*.json -o report.html --badges badges      an SVG per implementation and edition, too
"""

ADAPTER = """
Write an adapter: `new` writes a template (Python, or JavaScript for node), `check` tries an adapter with one case per
optimizer and one per feature, and says what is missing. The way from there is told in docs/writing-an-adapter.md.

examples:
  goldenstep adapter new adapter.mjs
  goldenstep adapter check 'cmd: node adapter.mjs'
  goldenstep adapter check adapter:implementation     a function of adapter.py that returns an implementation
  goldenstep adapter check mypkg --isolate            a module shaped like Keras, in a process of its own
"""

REPLAY = """
Check one property on one case, which a failure of the properties has printed, shrunk as far as it goes.

examples:
  goldenstep replay P-54 --impl=mypkg < case.json
  goldenstep replay P-54 --impl=mypkg --case-file case.json
"""

PROMOTE = """
Make a golden of a case: run it on the real release that its edition is recorded from, and keep the case in
golden/promoted and what the release computed in golden/recorded, under an id made of its edition, its optimizer
and a name. The same case is not kept twice. The reference is asked too: a case on which it differs from the
release is kept all the same, and said so.

examples:
  goldenstep promote --case-file case.json --name sparse-after-a-jump
  goldenstep promote --python /tmp/envs/keras3/bin/python < case.json
"""

RECORD = """
Record goldens from a real release, which runs in the environment that --python belongs to. Usually tox does this
(`tox -e record-keras3`), which also makes that environment.

examples:
  goldenstep record keras3 --python /tmp/envs/keras3/bin/python
  goldenstep record keras3 --python /tmp/envs/keras3/bin/python --optimizer Adam --folder /tmp/recorded
"""

VERIFY = """
Run the recorded cases on the real release again, and print what it computes otherwise today. The release runs in
the environment that --python belongs to; usually tox does this (`tox -e verify-keras3`).

examples:
  goldenstep verify keras3 --python /tmp/envs/keras3/bin/python
  goldenstep verify tf2.4 --python /tmp/envs/tf2.4/bin/python --optimizer Adam
"""


def add_check(parser: argparse.ArgumentParser) -> None:
    """The options of `check`: those of the plugin."""
    from . import plugin

    plugin.pytest_addoption(PytestOptions(parser))  # type: ignore[arg-type]
    parser.usage = "goldenstep check [--impl NAME] [options of the suite] [-- arguments for pytest]"


def add_explain(parser: argparse.ArgumentParser) -> None:
    """The options of `explain`."""
    parser.add_argument("optimizer", metavar="OPTIMIZER", help="its class name, e.g. Adam, RMSprop")
    parser.add_argument("--edition", metavar="ID", help=f"one of {', '.join(spec.editions())}")


def add_diff(parser: argparse.ArgumentParser) -> None:
    """The options of `diff`."""
    parser.add_argument("one", metavar="A", help="an edition, e.g. tf2.15, or a folder of goldens")
    parser.add_argument("two", metavar="B", help="another of the same kind")
    parser.add_argument("--optimizer", metavar="NAME", help="only this optimizer, e.g. Adam")


def add_compare(parser: argparse.ArgumentParser) -> None:
    """The options of `compare`."""
    names = "reference, keras, tf_keras, a module shaped like Keras, or module:factory; perhaps with @EDITION"
    parser.add_argument("one", metavar="IMPL1", help=names)
    parser.add_argument("two", metavar="IMPL2", help="the other one, named alike")
    parser.add_argument("--optimizer", metavar="NAME", required=True, help="the optimizer to run, e.g. Adam")
    parser.add_argument("--edition", metavar="ID", help="the edition that both follow, e.g. keras3")
    parser.add_argument("--all", action="store_true", help="list every case that differs, not the first ten")
    parser.add_argument(
        "-o", "--output", metavar="FILE", type=new_file, help="write it as JSON, for `goldenstep report`"
    )


def add_report(parser: argparse.ArgumentParser) -> None:
    """The options of `report`."""
    parser.add_argument("reports", metavar="REPORT", nargs="+", help="a file that check --report or compare -o wrote")
    parser.add_argument(
        "-o", "--output", metavar="FILE", type=new_file, default=Path("report.html"), help="the page to write"
    )
    parser.add_argument("--badges", metavar="FOLDER", type=Path, help="where to write badges, if at all")


def add_adapter(parser: argparse.ArgumentParser) -> None:
    """The options of `adapter`."""
    parser.add_argument("action", choices=("check", "new"), help="try an adapter, or write a template")
    parser.add_argument("name", metavar="IMPL", help="an implementation as --impl takes it; for `new` a file to write")
    parser.add_argument("--edition", metavar="ID", help="the edition to try (default: the newest that it claims)")
    parser.add_argument("--isolate", action="store_true", help="in a process of its own")
    parser.add_argument("--timeout", type=float, metavar="SECONDS", help="how long a case may take there")


def add_replay(parser: argparse.ArgumentParser) -> None:
    """The options of `replay`."""
    parser.add_argument("property", metavar="PROPERTY", help="its id, e.g. P-54")
    parser.add_argument("--impl", metavar="NAME", default="reference", help="as for `goldenstep check`")
    parser.add_argument("--errata", choices=ERRATA, default=ERRATA[0], help="as for `goldenstep check`")
    parser.add_argument("--isolate", action="store_true", help="as for `goldenstep check`")
    parser.add_argument("--timeout", type=float, metavar="SECONDS", help="as for `goldenstep check`")
    add_case_file(parser)


def add_promote(parser: argparse.ArgumentParser) -> None:
    """The options of `promote`."""
    add_case_file(parser)
    parser.add_argument("--name", metavar="SLUG", help="the last part of its id (default: made of its digest)")
    parser.add_argument("--python", metavar="PATH", help="the Python of the release (default: tox's environment)")
    parser.add_argument("--folder", metavar="FOLDER", type=Path, help="where the goldens lie (default: the shipped)")


def add_case_file(parser: argparse.ArgumentParser) -> None:
    """Where the case comes from."""
    parser.add_argument("--case-file", dest="case", metavar="FILE", type=Path, help="default: standard input")


def add_golden(parser: argparse.ArgumentParser) -> None:
    """The options of `record` and `verify`; they are read by goldenstep.golden."""
    releases = sorted({edition["release"] for edition in spec.editions().values()})
    parser.add_argument("release", choices=releases, help=f"the release: {', '.join(releases)}")
    parser.add_argument("--python", metavar="PATH", required=True, help="the Python of its environment")
    parser.add_argument("--folder", metavar="FOLDER", help="where the goldens lie (default: the shipped ones)")
    parser.add_argument("--optimizer", metavar="NAME", help="only this optimizer, e.g. Adam; or schedules, or files")
    parser.add_argument("--all", action="store_true", help="record known cases again, too")


if __name__ == "__main__":
    sys.exit(main())
