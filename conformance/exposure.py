"""How much of an edition's state an implementation shows: all of it, some entries, or nothing but the weights.

A port to another library has no `iteration` variable, or no slot that Keras has. It declares what it does have: a
method `exposes(case)` that gives the names of those entries of the edition's layout. They are compared like any
other, and nothing that is declared may be left out; an implementation without that method shows all of its state.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from goldenstep.golden.compare import expected_layout, unrolled, with_layouts

if TYPE_CHECKING:
    from .implementations import Implementation

Document = dict[str, Any]
EVERYTHING, PART, WEIGHTS = "everything", "part of the state", "weights only"


def exposed(implementation: Implementation, case: Document) -> list[str] | None:
    """Names of the entries of the state that the implementation declares to have in a case; None if it has all."""
    declare = getattr(implementation, "exposes", None)
    return None if declare is None or "schedule" in case else list(declare(case))


def compared(names: Sequence[str] | None) -> str:
    """What of an answer is compared, in words."""
    return EVERYTHING if names is None else PART if names else WEIGHTS


def visible(case: Document, expected: Document, got: Document, names: Sequence[str] | None) -> Document:
    """The recorded trajectory with the entries of the state that the implementation has to show.

    Those are the declared ones; until its variable's first gradient an entry may be missing, for some libraries make
    it only then.
    """
    if names is None or "schedule" in case:
        return expected
    shown = {number: {entry["name"] for entry in layout} for number, layout in with_layouts(got)}
    optional = {name: first for name, first in first_gradients(case).items() if name in names}
    steps, layouts = [], dict(with_layouts(expected))
    for step in expected["steps"]:
        number, layout = step["step"], layouts[step["step"]]
        kept = [
            i
            for i, entry in enumerate(layout)
            if entry["name"] in names
            and (number >= optional.get(entry["name"], 0) or entry["name"] in shown.get(number, names))
        ]
        state, entries = [step["state"][i] for i in kept], [layout[i] for i in kept]
        steps.append({**step, "state": state, "layout": entries})
    first = steps[0]["layout"] if steps else []
    return {**expected, "layout": first, "steps": steps}


def first_gradients(case: Document) -> dict[str, float]:
    """The number of the step in which the variable of each entry of the state has its first gradient."""
    first: dict[int, int] = {}
    for number, event in enumerate(unrolled(case["events"]), 1):
        gradients = event.get("attempt", event).get("apply", ())
        of = event.get("attempt", event).get("of", range(len(gradients)))
        for index, gradient in zip(of, gradients, strict=True):
            if gradient is not None:
                first.setdefault(index, number)
    return {e.name: first.get(e.owner, float("inf")) for e in expected_layout(case) if e.owner is not None}
