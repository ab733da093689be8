"""Verdicts, and the judging of one case."""

from __future__ import annotations

import enum
import json
import marshal
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from goldenstep.golden.compare import Divergence, bounds, compare, fed

from . import closeness, exposure
from .answers import NoAnswerError, ProtocolError, UnsupportedError, misshapen
from .errata import followed, shown
from .implementations import Implementation
from .process import conform, schema_of

Document = dict[str, Any]


LONGEST = 120


class Verdict(enum.Enum):
    """What a case says about an implementation."""

    EXACT = "exact"
    WITHIN = "within bound"
    CLOSE = "close"
    AS_DOCUMENTED = "as documented"
    DIVERGES = "diverges"
    UNSUPPORTED = "unsupported"
    ERROR = "error"
    CRASH = "crash"
    TIMEOUT = "timeout"
    PROTOCOL = "protocol error"


PASSING = (Verdict.EXACT, Verdict.WITHIN, Verdict.CLOSE, Verdict.AS_DOCUMENTED, Verdict.UNSUPPORTED)


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
    detail: str = ""
    compared: str = exposure.EVERYTHING


class Asking:
    """An implementation as the judge asks it: what it raises is a NoAnswerError, and its case stays as it was."""

    def __init__(self, implementation: Implementation) -> None:
        self.implementation = implementation
        self.refused = ""
        self.latest: Document = {}

    def supports(self, case: Document) -> str | None:
        """None if the case can be run, otherwise why not."""
        try:
            reason = self.implementation.supports(case)
        except BaseException as error:
            raise raised(error) from error
        if reason is not None and not isinstance(reason, str):
            raise NoAnswerError(
                f"supports(case) returned {shown_answer(reason)}: expected None if it can be run, otherwise why not"
            )
        return reason

    def run(self, case: Document) -> Document:
        """The trajectory of a case."""
        before = marshal.dumps(case, 2)
        try:
            got = self.implementation.run(case)
        except NoAnswerError:
            raise
        except BaseException as error:
            raise raised(error) from error
        if marshal.dumps(case, 2) != before:
            case.clear()
            case.update(marshal.loads(before))
            raise NoAnswerError("run(case) wrote to the case: inputs are to be left as they are")
        try:
            json.dumps(got, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise NoAnswerError(f"the trajectory is not JSON: {error}") from error
        if not isinstance(got, dict) or got.get("id") != case["id"]:
            of = got.get("id") if isinstance(got, dict) else got
            raise NoAnswerError(f"expected the trajectory of {case['id']}, got {shown_answer(of)}")
        self.latest = got
        return got

    def stepwise(self, case: Document, trajectory: Document) -> Document | None:
        """What it makes of every step from the state before; None if it can't begin there, which excuses nothing."""
        try:
            return self.run(fed(case, trajectory))
        except UnsupportedError as unsupported:
            self.refused = str(unsupported)
            return None


def raised(error: BaseException) -> NoAnswerError:
    """What an implementation raised as its verdict; what is meant for this process goes on as it is.

    pytest's own outcomes are no exceptions to Python: an adapter that skips itself would not be failed.
    """
    if isinstance(error, KeyboardInterrupt):
        raise error
    return NoAnswerError(f"the adapter raised {type(error).__name__}: {error}", traceback.format_exc())


def judge(
    implementation: Implementation,
    case: Document,
    expected: Document,
    errata: str = "shipped",
    tolerance: int | None = None,
) -> Record:
    """Run a case and compare to the bit; if that fails where a bound is stated, step by step from the recorded state.

    Unless `errata` is "shipped", what differs from the release only as its documentation does is AS_DOCUMENTED; with
    "documented" a record of what was computed as shipped names the errata that speak against it, see `fails`.
    With a `tolerance` in ulp, what differs only as rounding may is CLOSE, see closeness.py.
    Whatever the implementation does instead of answering is a verdict, too.
    """
    names: Sequence[str] | None = None

    def record(
        verdict: Verdict,
        reason: str = "",
        worst: float = 0.0,
        divergence: Divergence | None = None,
        known: tuple[str, ...] = (),
        detail: str = "",
    ) -> Record:
        kind = case["optimizer"]["class_name"] if "optimizer" in case else case["features"][0]
        features, clauses = tuple(case["features"]), tuple(case["clauses"])
        return Record(
            case["id"],
            case["edition"],
            kind,
            features,
            clauses,
            verdict,
            reason,
            worst,
            divergence,
            known,
            detail,
            exposure.compared(names),
        )

    asked, near = Asking(implementation), None
    try:
        unsupported = asked.supports(case)
        if unsupported:
            return record(Verdict.UNSUPPORTED, unsupported)
        names = exposure.exposed(implementation, case)
        got = first = asked.run(case)
        shape = misshapen(case, got)
        if shape:
            return record(Verdict.DIVERGES, str(shape), divergence=shape)
        result = compare(case, exposure.visible(case, expected, got, names), got)
        if not (result.divergence is None and result.exact) and any(bounds(case)) and "error" not in expected:
            again = asked.stepwise(case, expected)
            shape = misshapen(case, again) if again else None
            if shape:
                return record(Verdict.DIVERGES, str(shape), divergence=shape)
            if again:
                got = again
                result = compare(case, exposure.visible(case, expected, got, names), got)
        if result.divergence is None:
            against = shown(case, expected) if errata == "documented" else ()
            reason = f"as shipped, and not as documented in {', '.join(against)}" if against else ""
            return record(Verdict.EXACT if result.exact else Verdict.WITHIN, reason, result.worst_ulp, known=against)
        corrected = followed(asked, case, first, names) if errata != "shipped" else ()
        if tolerance and not corrected:
            near = closeness.judged(asked, case, expected, first, names, tolerance)
    except NoAnswerError as none:
        return record(Verdict(none.kind), str(none), detail=none.detail)
    except Exception:  # the comparison stumbled: over an answer that is none, or by a mistake of ours
        wrong = no_trajectory(case, asked.latest)
        if wrong is None:
            raise
        return record(Verdict.ERROR, wrong)
    if corrected:
        return record(Verdict.AS_DOCUMENTED, f"as documented in {', '.join(corrected)}", known=corrected)
    if near:
        verdict = Verdict.DIVERGES if near.divergence else Verdict.CLOSE
        return record(verdict, str(near), divergence=near.divergence)
    raised = got.get("error")
    if raised and "error" not in expected:
        reason = f"{raised['type']} at {raised['stage']}: {raised['message']}"
        return record(Verdict.ERROR, reason, divergence=result.divergence)
    alone = f"; not judged step by step, which it does not support: {asked.refused}" if asked.refused else ""
    return record(Verdict.DIVERGES, f"{result.divergence}{alone}", divergence=result.divergence)


def no_trajectory(case: Document, answer: Document) -> str | None:
    """What makes an answer none to the case, where the comparison could make nothing of it; None if it is one."""
    try:
        conform(answer, schema_of(case), "trajectory")
    except ProtocolError as error:
        return str(error)
    return None


def shown_answer(answer: Any) -> str:
    """What came in place of a trajectory, for a message."""
    text = repr(answer)
    return text if len(text) <= LONGEST else text[:LONGEST] + " ..."


def fails(record: Record, errata: str = "shipped") -> bool:
    """Is the verdict a failure, where errata are to be followed as "shipped", as "documented", or "either" way?"""
    if record.verdict in (Verdict.EXACT, Verdict.WITHIN):
        return errata == "documented" and bool(record.errata)
    return record.verdict not in PASSING
