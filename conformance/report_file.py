"""The report of a run as JSON: a header, a record per case, a footer. The same run gives the same bytes.

Its schema is spec/schemas/report.schema.json; `goldenstep report` makes a page of one or more of them.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from goldenstep import spec

from .answers import NoAnswerError
from .side_by_side import distance
from .snippet import code_for, rerun, script
from .verdict import Asking, Record, no_trajectory

if TYPE_CHECKING:
    import pytest

    from .implementations import Implementation
    from .selection import Session

Document = dict[str, Any]
FORMAT = 1
ALWAYS = ("id", "edition", "optimizer", "features", "clauses", "verdict", "compared")
WHERE_IT_SAYS_SOMETHING = ("reason", "kind", "step", "known", "worst_ulp", "errata", "at", "curve", "rerun", "script")


class ReportError(ValueError):
    """A file is no whole report; the message says what is wrong."""


def evidence(implementation: Implementation, golden: Document, record: Record) -> Document:
    """What the report shows of a case that differs: place, distance after each step, the line and script to see it."""
    case, divergence = golden["case"], record.divergence
    shown: Document = {"rerun": rerun(implementation, record.id)}
    if divergence:
        shown["at"] = {
            "where": divergence.where + (f"[{divergence.element}]" if divergence.element is not None else ""),
            "expected": text(divergence.expected),
            "got": text(divergence.got),
            **({} if divergence.ulp is None else {"ulp": number(divergence.ulp)}),
        }
    code = code_for(implementation, case)
    if code:
        shown["script"] = script(code, case, record)
    if record.verdict.value == "diverges" and "variables" in case and "steps" in golden["trajectory"]:
        shown["curve"] = curve(implementation, golden)
    return shown


def curve(implementation: Implementation, golden: Document) -> list[list[float | str]]:
    """After each kept step: how far the variables are apart, in ulp, and relative to the largest weight."""
    try:
        got = Asking(implementation).run(golden["case"])
    except NoAnswerError:
        return []
    if no_trajectory(golden["case"], got):
        return []
    steps = {step["step"]: step for step in got["steps"]}
    points: list[list[float | str]] = []
    for step in golden["trajectory"]["steps"]:
        if step["step"] in steps:
            try:
                apart = distance(golden["case"], step, steps[step["step"]])
            except ValueError:  # another shape
                break
            points.append([step["step"], *map(number, apart)])
    return points


def text(value: Any) -> str:
    """A value that was expected or got, as text."""
    return value if isinstance(value, str) else json.dumps(value, default=str)


def number(value: float) -> float | str:
    """A number as JSON has it, to four digits: it is looked at, not computed with."""
    return float(f"{value:.4g}") if np.isfinite(value) else "Infinity" if value > 0 else "NaN"


def report(
    session: Session, config: pytest.Config, records: Iterable[Document], properties: Iterable[Document]
) -> Document:
    """The report of a run. Records come in any order; they are sorted as the golden files are."""
    implementation, option = session.implementation, config.option
    order = {identity: place for place, identity in enumerate(session.ids)}
    cases = [plain(record) for record in sorted(records, key=lambda record: order[record["id"]])]
    held = sorted(({**plain(p), "verdict": "broken" if p["kind"] else "holds"} for p in properties), key=by_id)
    counts = Counter(record["verdict"] for record in cases)
    seed = config.getoption("hypothesis_seed", None)
    return {
        "header": {
            "report": FORMAT,
            "goldenstep": metadata.version("goldenstep"),
            "specification": spec.digest(),
            "implementation": {"name": implementation.name, "version": getattr(implementation, "version", "")},
            "asked": getattr(implementation, "asked", f"--impl={implementation.name}"),
            "editions": [edition for edition in spec.editions() if edition in {r["edition"] for r in cases}],
            "errata": option.errata,
            "tolerance": option.tolerance or getattr(implementation, "tolerance", "exact"),
            "seed": None if seed is None else str(seed),
        },
        "records": cases,
        "properties": held,
        "footer": {
            "selected": len(order),
            "run": len(cases),
            "verdicts": {verdict: counts[verdict] for verdict in sorted(counts)},
            "properties": dict(sorted(Counter(p["verdict"] for p in held).items())),
        },
    }


def by_id(record: Document) -> str:
    """The key to sort by."""
    return str(record["id"])


def plain(record: Mapping[str, Any]) -> Document:
    """A record as JSON has it, without what says nothing."""
    kept = {name: record[name] for name in ALWAYS if name in record}
    kept |= {name: record[name] for name in WHERE_IT_SAYS_SOMETHING if record.get(name)}
    return dict(json.loads(json.dumps(kept)))


def write(path: Path, document: Document) -> None:
    """Write a report, a record on each line."""
    spec.validate(without_records(document), "report", str(path))
    lines = [f'{{"header": {json.dumps(document["header"])},']
    for name in ("records", "properties"):
        entries = ",\n".join(json.dumps(entry, allow_nan=False) for entry in document[name])
        lines.append(f'"{name}": [\n{entries}\n],' if entries else f'"{name}": [],')
    lines.append(f'"footer": {json.dumps(document["footer"])}}}')
    path.write_text("\n".join(lines) + "\n", "utf-8")


def without_records(document: Document) -> Document:
    """The report with a sample of its records, quick to validate; a test validates all of them."""
    return {**document, "records": document["records"][:20], "properties": document["properties"][:20]}


def read(path: Path) -> Document:
    """A report, or a comparison; ReportError if it is none, or not whole."""
    try:
        document = json.loads(path.read_text("utf-8"))
        kind = "comparison" if isinstance(document, dict) and "comparison" in document else "report"
        spec.validate(document, kind, path.name)
    except OSError as error:
        raise ReportError(f"{path}: {error.strerror}") from error
    except ValueError as error:  # SpecificationError is one, too
        raise ReportError(f"{path}: expected a whole report as --report writes it: {str(error)[:300]}") from error
    return dict(document)
