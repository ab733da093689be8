"""The tables at the end of a run: verdicts per optimizer, per feature, per edition."""

from __future__ import annotations

import io
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console
from rich.table import Table

from goldenstep import spec

from . import known_failures
from .exposure import PART, WEIGHTS
from .verdict import PASSING, Verdict

if TYPE_CHECKING:
    import pytest

    from .selection import Session

VERDICTS = [verdict.value for verdict in Verdict]
HEADINGS = {
    "within bound": "within\nbound",
    "as documented": "docu-\nmented",
    "unsupported": "unsup-\nported",
    "protocol error": "protocol\nerror",
}
COLOURS = {
    "exact": "green",
    "within bound": "green",
    "close": "blue",
    "as documented": "cyan",
    "diverges": "red",
    "error": "red",
    "unsupported": "yellow",
    "crash": "red",
    "timeout": "red",
    "protocol error": "red",
}
RARE = ("close", "as documented", "crash", "timeout", "protocol error")


def print_tables(reporter: pytest.TerminalReporter, records: list[dict[str, Any]], session: Session) -> None:
    """Write the verdict tables to pytest's terminal."""
    name, version = session.implementation.name, getattr(session.implementation, "version", "")
    expected = session.ids
    reporter.section(f"goldenstep: verdicts on {name} {version}".rstrip())
    for text in tables(records, expected, reporter.hasmarkup, reporter._tw.fullwidth):
        reporter.write(text)
    for amount in (PART, WEIGHTS):
        cases = sum(record["compared"] == amount and record["verdict"] != "unsupported" for record in records)
        if cases:
            reporter.write_line(f"compared in {cases} of {len(records)} cases: {amount}, for it has no more")
    wrong = [r for r in records if Verdict(r["verdict"]) not in PASSING and not r["known"]]
    for record in wrong[:5]:
        reporter.write_line(f"{record['id']}: {record['reason']}")
    if len(wrong) > 5:
        reporter.write_line(f"... and {len(wrong) - 5} more")
    if len(records) < len(expected):
        reporter.write_line(f"not run: {len(expected) - len(records)} of {len(expected)} selected cases")


def print_known(
    reporter: pytest.TerminalReporter, records: list[dict[str, Any]], broken: list[str], session: Session
) -> None:
    """Say what of the known failures was seen; write their file anew if that was asked for."""
    known = session.known
    assert known.path is not None
    if not known.update:
        listed = [record for record in records if record["known"]]
        unexplained = sum(record["known"].startswith(known_failures.UNEXPLAINED) for record in listed)
        text = f"known failures: {len(listed)} of {known.path.name} met"
        reporter.write_line(text + (f", {unexplained} of them not yet explained" if unexplained else ""))
        return
    unfit = [record["id"] for record in records if record["kind"] in ("crash", "timeout", "protocol error")]
    run = sum(not record["id"].startswith("P-") for record in records)
    if unfit or broken or run < len(session.ids):
        first = (unfit or broken or [f"{len(session.ids) - run} cases that were not run"])[0]
        reporter.write_line(f"{known.path}: not written, for the run was not whole: {first}", red=True)
        return
    outcomes = {r["id"]: known_failures.Outcome(r["kind"], r["step"], r["reason"]) for r in records}
    entries = known_failures.updated(known, outcomes)
    known_failures.write(known.path, entries)
    reporter.write_line(f"{known.path}: {sum(len(entry.cases) for entry in entries)} cases in {len(entries)} entries")


def tables(records: list[dict[str, Any]], expected: list[str], colour: bool, width: int) -> list[str]:
    """Three tables as text: one row per optimizer, per feature, per edition."""
    planned: dict[str, int] = defaultdict(int)
    for identity in expected:
        planned[identity.partition("/")[0]] += 1
    by_edition = grouped(records, lambda record: [record["edition"]])
    by_feature = grouped(records, lambda record: record["features"])
    by_optimizer = grouped(records, lambda record: [record["optimizer"]])
    return [
        table("edition", by_edition, {name: planned[name] for name in by_edition}, colour, width),
        table("feature", by_feature, None, colour, width),
        table("optimizer", by_optimizer, None, colour, width),
    ]


def grouped(records: list[dict[str, Any]], keys: Any) -> dict[str, list[dict[str, Any]]]:
    """The records under each of their keys: editions oldest first, everything else by name."""
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for record in records:
        for key in keys(record):
            groups[key].append(record)
    order = list(spec.editions())
    return {key: groups[key] for key in sorted(groups, key=lambda key: (order.index(key) if key in order else 0, key))}


def table(
    title: str, groups: dict[str, list[dict[str, Any]]], planned: dict[str, int] | None, colour: bool, width: int
) -> str:
    """One table as text: counts of each verdict, and the worst distance inside a bound."""
    found = {record["verdict"] for records in groups.values() for record in records}
    verdicts = [verdict for verdict in VERDICTS if verdict in found or verdict not in RARE]
    wide = any(verdict in RARE for verdict in verdicts)
    grid = Table(box=box.SIMPLE_HEAD, header_style="bold", padding=(0, 0 if wide else 1))
    grid.add_column(title, no_wrap=True, min_width=17)
    for heading in ["cases", "run", *(HEADINGS.get(v, v) for v in verdicts), "worst\nulp"]:
        grid.add_column(heading, justify="right", no_wrap=True)
    for name, records in groups.items():
        counts = [sum(record["verdict"] == verdict for record in records) for verdict in verdicts]
        run = len(records) - counts[verdicts.index("unsupported")]
        shown = [
            f"[{COLOURS[v]}]{c}[/]" if c and COLOURS.get(v) else str(c) if c else "."
            for v, c in zip(verdicts, counts, strict=True)
        ]
        worst = max(record["worst_ulp"] for record in records)
        count = planned[name] if planned else len(records)
        grid.add_row(name, str(count), str(run), *shown, f"{worst:.2g}" if worst else "0")
    stream = io.StringIO()
    Console(file=stream, force_terminal=colour, no_color=not colour, width=max(width, 96)).print(grid)
    return stream.getvalue()
