"""Every selected golden: what the real release computed, against what the implementation computes."""

from __future__ import annotations

import dataclasses

import pytest

from goldenstep.conformance.closeness import ulps_of
from goldenstep.conformance.selection import Session
from goldenstep.conformance.snippet import failure
from goldenstep.conformance.verdict import fails, judge


@pytest.mark.conformance
def test_golden(  # type: ignore[no-untyped-def]
    golden_id: str, conformance_session: Session, record_property, pytestconfig: pytest.Config
) -> None:
    """The trajectory is the recorded one, or the documented one: equal to the bit, or within a bound."""
    golden = conformance_session.golden(golden_id)
    errata = pytestconfig.option.errata
    tolerance = ulps_of(pytestconfig.option.tolerance)
    record = judge(conformance_session.implementation, golden["case"], golden["trajectory"], errata, tolerance)
    shown = {**dataclasses.asdict(record), "verdict": record.verdict.value, "divergence": str(record.divergence or "")}
    record_property("goldenstep", shown)
    if fails(record, errata):
        pytest.fail(failure(conformance_session.implementation, golden, record), pytrace=False)
