"""Verdicts, and the judging of one case."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any

from goldenstep.golden.compare import Divergence, bounds, compare, fed

from .errata import followed, shown
from .implementations import Implementation

Document = dict[str, Any]


class Verdict(enum.Enum):
    """What a case says about an implementation."""

    EXACT = "exact"
    WITHIN = "within bound"
    AS_DOCUMENTED = "as documented"
    DIVERGES = "diverges"
    UNSUPPORTED = "unsupported"
    ERROR = "error"


@dataclass(frozen=True)
class Record:
    """The verdict on one case, with what the census and the report need to know of it."""

    id: str
    edition: str
    optimizer: str
    features: tuple[str, ...]
    clauses: tuple[str, ...]
    verdict: Verdict
    reason: str = ""
    worst_ulp: float = 0.0
    divergence: Divergence | None = None
    errata: tuple[str, ...] = ()


def judge(implementation: Implementation, case: Document, expected: Document, errata: str = "shipped") -> Record:
    """Run a case and compare to the bit; if that fails where a bound is stated, step by step from the recorded state.

    Unless `errata` is "shipped", what differs from the release only as its documentation does is AS_DOCUMENTED; with
    "documented" a record of what was computed as shipped names the errata that speak against it, see `fails`.
    """

    def record(
        verdict: Verdict,
        reason: str = "",
        worst: float = 0.0,
        divergence: Divergence | None = None,
        known: tuple[str, ...] = (),
    ) -> Record:
        kind = "schedules" if "schedule" in case else case["optimizer"]["class_name"]
        features, clauses = tuple(case["features"]), tuple(case["clauses"])
        return Record(case["id"], case["edition"], kind, features, clauses, verdict, reason, worst, divergence, known)

    unsupported = implementation.supports(case)
    if unsupported:
        return record(Verdict.UNSUPPORTED, unsupported)
    got = first = implementation.run(case)
    result = compare(case, expected, got)
    if not (result.divergence is None and result.exact) and any(bounds(case)) and "error" not in expected:
        got = implementation.run(fed(case, expected))
        result = compare(case, expected, got)
    if result.divergence is None:
        against = shown(case, expected) if errata == "documented" else ()
        reason = f"as shipped, and not as documented in {', '.join(against)}" if against else ""
        return record(Verdict.EXACT if result.exact else Verdict.WITHIN, reason, result.worst_ulp, known=against)
    corrected = followed(implementation, case, first) if errata != "shipped" else ()
    if corrected:
        return record(Verdict.AS_DOCUMENTED, f"as documented in {', '.join(corrected)}", known=corrected)
    raised = got.get("error")
    if raised and "error" not in expected:
        reason = f"{raised['type']} at {raised['stage']}: {raised['message']}"
        return record(Verdict.ERROR, reason, divergence=result.divergence)
    return record(Verdict.DIVERGES, str(result.divergence), divergence=result.divergence)


def fails(record: Record, errata: str = "shipped") -> bool:
    """Is the verdict a failure, where errata are to be followed as "shipped", as "documented", or "either" way?"""
    if record.verdict in (Verdict.EXACT, Verdict.WITHIN):
        return errata == "documented" and bool(record.errata)
    return record.verdict in (Verdict.DIVERGES, Verdict.ERROR)
