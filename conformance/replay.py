"""A property that does not hold, as text; and the same case once more: `goldenstep replay`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from goldenstep import spec

from .implementations import ERRATA, load
from .properties import Broken, Inapplicable, Subject, registered
from .selection import UnknownSelectionError

Document = dict[str, Any]


def schema_of(case: Document) -> str:
    """Name of the schema of a case."""
    kinds = {"schedule": "schedule_case", "calls": "calls_case", "file": "file_case"}
    return next((schema for key, schema in kinds.items() if key in case), "case")


def subject_of(case: Document) -> str:
    """The optimizer, the schedule, or else the kind of calls, that a case is about."""
    about = case.get("schedule") or case.get("optimizer")
    return str(about["class_name"]) if about else str(case["features"][0])


def report(identity: str, subject: Subject, case: Document, broken: Broken) -> str:
    """The text of a broken property: what, where, the case, and the lines that show it again and keep it."""
    asked = getattr(subject.implementation, "asked", f"--impl={subject.implementation.name}")
    if subject.errata != ERRATA[0]:
        asked += f" --errata={subject.errata}"
    return "\n".join(
        [
            f"{identity} does not hold for {subject_of(case)} of {case['edition']}",
            f"  {registered()[identity].sentence}",
            f"  {broken}",
            "",
            "show it again:",
            f"goldenstep replay {identity} {asked} <<'CASE'",
            json.dumps(case),
            "CASE",
            "",
            "or make a golden of it, where the real release can be run: the same with `goldenstep promote`",
        ]
    )


def case_from(path: Path | None) -> Document:
    """The case of a file, or of standard input; UnknownSelectionError if it is none."""
    text = path.read_text("utf-8") if path else sys.stdin.read()
    try:
        case: Document = json.loads(text)
        spec.validate(case, schema_of(case), str(path or "standard input"))
    except ValueError as error:
        raise UnknownSelectionError(f"{path or 'standard input'}: expected a case as JSON: {error}") from error
    return case


def replay(
    identity: str,
    name: str,
    case: Document,
    errata: str = ERRATA[0],
    isolate: bool = False,
    timeout: float | None = None,
) -> int:
    """Check one property on one case, and say how it went; 0 if it holds, 1 if not."""
    if identity not in registered():
        raise UnknownSelectionError(f"no property {identity!r}. There are {', '.join(registered())}.")
    subject = Subject(load(name, case["edition"], isolate, timeout), errata)
    try:
        registered()[identity].check(subject, case)
    except Broken as broken:
        print(report(identity, subject, case, broken))
        return 1
    except Inapplicable as inapplicable:
        print(f"{identity} says nothing about this case: {inapplicable}")
        return 1
    finally:
        getattr(subject.implementation, "close", lambda: None)()
    print(f"{identity} holds: {registered()[identity].sentence}")
    return 0
