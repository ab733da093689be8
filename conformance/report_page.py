"""`goldenstep report`: reports of runs become one HTML page that needs nothing else, and badges."""

from __future__ import annotations

import functools
import html
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from goldenstep import spec
from goldenstep.spec import saved_files, schedule

from .verdict import PASSING, Verdict

Document = dict[str, Any]
PASSED = [verdict.value for verdict in PASSING if verdict is not Verdict.UNSUPPORTED]
LEVELS = ("MUST", "SHOULD", "MAY")
STATES = ("passed", "known", "failed", "unsupported")
TEMPLATES = Path(__file__).parent / "templates"
BADGE = """\
<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="20" role="img" aria-label="{label}: {message}">
<title>{label}: {message}</title>
<rect width="{left}" height="20" fill="#444"/><rect x="{left}" width="{right}" height="20" fill="{colour}"/>
<g fill="#fff" text-anchor="middle" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">
<text x="{label_at}" y="14">{label}</text><text x="{message_at}" y="14">{message}</text></g></svg>
"""


def state_of(record: Document) -> str:
    """What a record counts as: passed, known to fail, failed, or unsupported."""
    if record["verdict"] == "unsupported":
        return "unsupported"
    if record["verdict"] in PASSED and "kind" not in record:
        return "passed"
    return "known" if record.get("known") else "failed"


@functools.cache
def levels() -> dict[str, str]:
    """The level of every clause: MUST, SHOULD or MAY."""
    documents = (spec.optimizers(), spec.editions(), schedule.schedules(), saved_files.formats())
    return {clause["id"]: clause["level"] for document in documents for clause in clauses_in(document)}


def clauses_in(document: Any) -> Iterator[Document]:
    """Every clause in a document."""
    if isinstance(document, dict):
        if {"id", "level", "text"} <= document.keys():
            yield document
        for value in document.values():
            yield from clauses_in(value)
    elif isinstance(document, list):
        for value in document:
            yield from clauses_in(value)


def by_level(records: Iterable[Document]) -> dict[str, Counter[str]]:
    """Clauses by level and by the worst that befell one of their cases; a clause whose cases all are unsupported is."""
    seen: dict[str, set[str]] = defaultdict(set)
    for record in records:
        for clause in record["clauses"]:
            seen[clause].add(state_of(record))
    counts = {level: Counter[str]() for level in LEVELS}
    for clause, states in seen.items():
        worst = next(state for state in ("failed", "known", "passed", "unsupported") if state in states)
        if clause in levels():
            counts[levels()[clause]][worst] += 1
    return counts


def cell(records: Sequence[Document]) -> Document:
    """The counts of a cell of the matrix, and its clauses by level as text."""
    counts = Counter(map(state_of, records))
    run = len(records) - counts["unsupported"]
    texts = [
        f"{level} {tally['passed']} of {total - tally['unsupported']}"
        for level, tally in by_level(records).items()
        if (total := sum(tally.values())) > tally["unsupported"]
    ]
    shares = [(state, 100 * counts[state] / run) for state in STATES[:3] if run and counts[state]]
    return {**{state: counts[state] for state in STATES}, "run": run, "levels": texts, "shares": shares}


def matrix(
    rows: Sequence[str], columns: Sequence[str], places: dict[tuple[str, str], list[Document]]
) -> list[Document]:
    """Rows of cells; None where there is no case."""
    return [
        {"name": row, "cells": [cell(places[row, column]) if (row, column) in places else None for column in columns]}
        for row in rows
    ]


def page(reports: Sequence[Document], comparisons: Sequence[Document] = ()) -> str:
    """The page of some reports: what the template and its script need."""
    from jinja2 import Environment, FileSystemLoader

    names = labels(reports)
    optimizers = sorted({r["optimizer"] for report in reports for r in report["records"]}, key=str.lower)
    across: dict[tuple[str, str], list[Document]] = defaultdict(list)
    within: list[Document] = []
    for name, report in zip(names, reports, strict=True):
        places: dict[tuple[str, str], list[Document]] = defaultdict(list)
        for record in report["records"]:
            across[record["optimizer"], name].append(record)
            for feature in record["features"]:
                places[record["optimizer"], feature].append(record)
        features = sorted({feature for _, feature in places})
        own = [optimizer for optimizer in optimizers if any(row == optimizer for row, _ in places)]
        counts = cell(report["records"])
        levels = by_level(report["records"])
        tallies = {level: tally for level, tally in levels.items() if tally.total() > tally["unsupported"]}
        within.append(
            {
                "name": name,
                "header": report["header"],
                "footer": report["footer"],
                "counts": counts,
                "levels": tallies,
                "features": features,
                "rows": matrix(own, features, places),
                "broken": [p for p in report["properties"] if p["verdict"] == "broken"],
            }
        )
    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, trim_blocks=True, lstrip_blocks=True)
    rows = matrix(optimizers, names, across)
    nowhere = [row["name"] for row in rows if not any(cell and cell["run"] for cell in row["cells"])]
    return environment.get_template("report.html.j2").render(
        names=names,
        rows=[row for row in rows if row["name"] not in nowhere],
        nowhere=nowhere,
        optimizers=optimizers,
        implementations=within,
        comparisons=[*map(compared, comparisons)],
        data=json.dumps(compact(names, reports), separators=(",", ":")).replace("</", "<\\/"),
    )


def compared(comparison: Document) -> Document:
    """A comparison as the template has it: its longest curve is the one that is drawn."""
    curves = [(len(case["curve"]) and case["curve"][-1][0], case["id"], case["curve"]) for case in comparison["cases"]]
    _, identity, curve = max(curves, default=(0, "", []))
    return {**comparison, "id": identity, "curve": drawn(curve)}


def labels(reports: Sequence[Document]) -> list[str]:
    """A name for each report: the implementation's, with its version or a number where two have the same."""
    plain = [report["header"]["implementation"]["name"] for report in reports]
    full = [
        f"{name} {report['header']['implementation']['version']}".rstrip() if plain.count(name) > 1 else name
        for name, report in zip(plain, reports, strict=True)
    ]
    return [name if full.count(name) == 1 else f"{name} ({full[: i + 1].count(name)})" for i, name in enumerate(full)]


OF_THE_CASE = ("id", "edition", "optimizer", "features", "clauses", "compared")


def compact(names: Sequence[str], reports: Sequence[Document]) -> Document:
    """The records as the page's script has them: what belongs to a case, or is said of many, stands once."""
    lists: dict[tuple[str, ...], int] = {}
    cases: dict[str, list[Any]] = {}
    for record in (record for report in reports for record in report["records"]):
        features, clauses = (lists.setdefault(tuple(record[key]), len(lists)) for key in ("features", "clauses"))
        cases.setdefault(record["id"], [record["id"], record["optimizer"], features, clauses])
    places = {identity: place for place, identity in enumerate(cases)}
    shown = {}
    for name, report in zip(names, reports, strict=True):
        unsupported: dict[str, list[int]] = defaultdict(list)
        records = []
        for record in report["records"]:
            if state_of(record) == "unsupported":
                unsupported[record.get("reason", "")].append(places[record["id"]])
            else:
                records.append(slim(record, places[record["id"]]))
        shown[name] = {"records": records, "unsupported": sorted(unsupported.items())}
    return {"lists": list(lists), "cases": list(cases.values()), "reports": shown}


def slim(record: Document, place: int) -> Document:
    """A record without what belongs to its case, and with one of the distances of its curve."""
    kept = {key: value for key, value in record.items() if key not in OF_THE_CASE}
    return {"c": place, "s": state_of(record), **kept, **({"curve": drawn(kept["curve"])} if "curve" in kept else {})}


def drawn(curve: Sequence[Sequence[Any]]) -> list[list[Any]]:
    """The points of a curve as they are drawn: step, and distance relative to the largest weight."""
    return [[step, relative] for step, _, relative in curve]


def badge(report: Document, edition: str) -> str:
    """A small SVG: how the implementation fares in an edition."""
    counts = Counter(state_of(record) for record in report["records"] if record["edition"] == edition)
    run = sum(counts.values()) - counts["unsupported"]
    good = f"{counts['passed']} of {run} cases"
    message = good + (f", {counts['failed']} unexplained" if counts["failed"] else "")
    colour = "#a3400a" if counts["failed"] else "#1f5f99" if counts["known"] else "#0b6b3a"
    label = f"goldenstep {edition}"
    left, right = (int(6.6 * len(text)) + 12 for text in (label, message))
    at = {"label_at": left / 2, "message_at": left + right / 2}
    words = {"label": html.escape(label), "message": html.escape(message)}
    return BADGE.format(width=left + right, left=left, right=right, colour=colour, **at, **words)
