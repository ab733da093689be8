"""How much of an edition's state an implementation shows: all of it, some entries, or nothing but the weights.

A port to another library has no `iteration` variable, or no slot that Keras has. It declares what it does have:
`exposes` holds for an optimizer the slots that can be shown, as the specification calls them, or the kinds of the other
entries of the state (`iteration`, `learning_rate` ...). They are compared like any other, and nothing that is declared
may be left out; of an optimizer that is not in it, all of the state is shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from goldenstep import spec
from goldenstep.golden.compare import expected_layout, unrolled, with_layouts

if TYPE_CHECKING:
    from .implementations import Implementation

Document = dict[str, Any]
EVERYTHING, PART, WEIGHTS = "everything", "part of the state", "weights only"
KINDS = ("iteration", "learning_rate", "average", "gradient_accumulator")
"""The entries of the state that are no slots of a rule."""


def exposed(implementation: Implementation, case: Document) -> list[str] | None:
    """Names of the entries of the state that the implementation declares to have in a case; None if it has all."""
    declared = getattr(implementation, "exposes", None) or {}
    optimizer = case.get("optimizer", {}).get("class_name")
    if optimizer not in declared:
        return None
    return [entry.name for entry in expected_layout(case) if (entry.slot or entry.kind) in declared[optimizer]]


def unknown(declared: Mapping[str, Sequence[str]]) -> str | None:
    """What a declaration has that the specification has not, as a sentence; None if there is nothing."""
    for optimizer, slots in declared.items():
        if optimizer not in spec.optimizers():
            return f"exposes: no optimizer {optimizer!r}; there are {', '.join(spec.optimizers())}"
        known = [*spec.optimizers()[optimizer]["slots"], *KINDS]
        for slot in slots:
            if slot not in known:
                return f"exposes: {optimizer} has no slot {slot!r}; there are {', '.join(known)}"
    return None


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
        played = event.get("attempt", event)
        gradients = played.get("apply", ())
        of = played.get("of", range(len(gradients))) if gradients else ()
        for index, gradient in zip(of, gradients, strict=True):
            if gradient is not None:
                first.setdefault(index, number)
    return {e.name: first.get(e.owner, float("inf")) for e in expected_layout(case) if e.owner is not None}
