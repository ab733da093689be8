"""Every selected golden: what the real release computed, against what the implementation computes."""

from __future__ import annotations

import dataclasses

import pytest

from goldenstep.conformance.selection import Session
from goldenstep.conformance.snippet import failure
from goldenstep.conformance.verdict import Verdict, judge


@pytest.mark.conformance
def test_golden(golden_id: str, conformance_session: Session, record_property) -> None:  # type: ignore[no-untyped-def]
    """The implementation's trajectory is the recorded one: equal to the bit, or within the stated bound."""
    golden = conformance_session.golden(golden_id)
    record = judge(conformance_session.implementation, golden["case"], golden["trajectory"])
    shown = {**dataclasses.asdict(record), "verdict": record.verdict.value, "divergence": str(record.divergence or "")}
    record_property("goldenstep", shown)
    if record.verdict in (Verdict.DIVERGES, Verdict.ERROR):
        pytest.fail(failure(conformance_session.implementation, golden, record), pytrace=False)
