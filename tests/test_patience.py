"""How long a failing case is made smaller: until so many steps are spent, and then only what has failed is tried."""

from __future__ import annotations

from typing import Any

from goldenstep.conformance.patience import CASE, STEPS, Patience


def case(steps: int, value: float) -> dict[str, Any]:
    """A case of so many steps; the value makes it another one."""
    return {"events": [{"repeat": steps, "events": [{"apply": [[value]]}]}]}


def test_before_a_failure_every_case_is_tried() -> None:
    """However many steps have been taken."""
    patience = Patience()
    assert all(patience.lasts(case(STEPS, float(n))) for n in range(3))


def test_after_a_failure_it_ends_with_the_steps_and_what_failed_is_tried_again() -> None:
    """Cases of a thousand steps, and cases of one, have the same steps in all."""
    for steps in (1, 1000):
        patience = Patience()
        patience.note(case(steps, -1.0))
        tried = sum(patience.lasts(case(steps, float(n))) for n in range(2 * STEPS // CASE))
        assert tried == STEPS // (CASE + steps)
        assert patience.lasts(case(steps, -1.0))
        assert not patience.lasts(case(steps, -2.0))
