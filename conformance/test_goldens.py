"""Every selected golden: what the real release computed, against what the implementation computes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from goldenstep.conformance.closeness import ulps_of
from goldenstep.conformance.known_failures import Entry, kind_of
from goldenstep.conformance.report_file import evidence
from goldenstep.conformance.selection import Session
from goldenstep.conformance.snippet import failure
from goldenstep.conformance.verdict import Record, fails, judge


@pytest.mark.conformance
def test_golden(
    golden_id: str,
    conformance_session: Session,
    record_property: Callable[[str, object], None],
    pytestconfig: pytest.Config,
) -> None:
    """The trajectory is the recorded one, or the documented one: equal to the bit, or within a bound."""
    golden, known = conformance_session.golden(golden_id), conformance_session.known
    errata = pytestconfig.option.errata
    tolerance = ulps_of(
        pytestconfig.option.tolerance or getattr(conformance_session.implementation, "tolerance", "exact")
    )
    record = judge(conformance_session.implementation, golden["case"], golden["trajectory"], errata, tolerance)
    kind = kind_of(record) if fails(record, errata) else None
    step = record.divergence.step if record.divergence else None
    listed = known.of(golden_id)
    more = evidence(conformance_session.implementation, golden, record) if kind and pytestconfig.option.report else {}
    record_property("goldenstep", {**shown(record, kind, step, listed), **more})
    text = failure(conformance_session.implementation, golden, record) if kind else ""
    settle(listed, kind, step, text, known.update)


def shown(record: Record, kind: str | None, step: int | None, listed: Entry | None) -> dict[str, Any]:
    """The record as pytest hands it on, from process to process and to the report."""
    plain = {**vars(record), "verdict": record.verdict.value, "divergence": str(record.divergence or "")}
    return {**plain, "kind": kind, "step": step, "known": listed.reason if listed and kind else ""}


def settle(listed: Entry | None, kind: str | None, step: int | None, text: str, update: bool) -> None:
    """End a test: passed, failed, or failed as expected. While the list is written anew, no difference is a failure."""
    if update and kind:
        pytest.xfail(text.splitlines()[0])
    if update:
        return
    complaint = listed.complaint(kind, step) if listed else ""
    if listed and not complaint:
        pytest.xfail(listed.reason)
    if kind or complaint:
        pytest.fail("\n\n".join(filter(None, [complaint, text])), pytrace=False)
