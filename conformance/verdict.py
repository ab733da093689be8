"""Verdicts, and the judging of one case."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any

from goldenstep.golden.compare import Divergence, bounds, compare, fed

from .implementations import Implementation

Document = dict[str, Any]


class Verdict(enum.Enum):
    """What a case says about an implementation."""

    EXACT = "exact"
    WITHIN = "within bound"
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


def judge(implementation: Implementation, case: Document, expected: Document) -> Record:
    """Run a case and compare to the bit; if that fails where a bound is stated, step by step from the recorded state."""

    def record(verdict: Verdict, reason: str = "", worst: float = 0.0, divergence: Divergence | None = None) -> Record:
        kind = "schedules" if "schedule" in case else case["optimizer"]["class_name"]
        features, clauses = tuple(case["features"]), tuple(case["clauses"])
        return Record(case["id"], case["edition"], kind, features, clauses, verdict, reason, worst, divergence)

    unsupported = implementation.supports(case)
    if unsupported:
        return record(Verdict.UNSUPPORTED, unsupported)
    got = implementation.run(case)
    result = compare(case, expected, got)
    if not (result.divergence is None and result.exact) and any(bounds(case)) and "error" not in expected:
        got = implementation.run(fed(case, expected))
        result = compare(case, expected, got)
    if result.divergence is None:
        return record(Verdict.EXACT if result.exact else Verdict.WITHIN, worst=result.worst_ulp)
    raised = got.get("error")
    if raised and "error" not in expected:
        reason = f"{raised['type']} at {raised['stage']}: {raised['message']}"
        return record(Verdict.ERROR, reason, divergence=result.divergence)
    return record(Verdict.DIVERGES, str(result.divergence), divergence=result.divergence)
