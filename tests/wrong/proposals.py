"""Cases that nobody records yet, and that would reject wrong implementations which all goldens let pass."""

from __future__ import annotations

import functools
from typing import Any

from goldenstep.golden.cases import drawn, finished, from_zero
from goldenstep.golden.codec import array, flat

Document = dict[str, Any]
USUAL = {"kernel": (2, 5), "bias": (3,)}
SHOWING = {"learning_rate": 1.0, "momentum": 0.5}
CLIPPED = ("tf2.4", "tf2.9.legacy", "tf2.9", "tf2.12", "keras3")


@functools.cache
def proposed() -> dict[str, Document]:
    """The proposed cases by the ids that they would have."""
    cases: dict[str, Document] = {}

    def propose(edition: str, slug: str, case: Document) -> None:
        identity = f"{edition}/{case['optimizer']['class_name'].lower()}/{slug}"
        cases[identity] = finished(identity, edition, case)

    for edition in CLIPPED:
        # From 0, at a rate of 1, with the velocity as a witness: a weight hides the last bits of a short step.
        # Thresholds that are no floats: their inverses, and quotients by the norm, are rounded.
        for limit in (0.3, 24.8):
            clipped = drawn("SGD", {**SHOWING, "global_clipnorm": limit}, USUAL)
            propose(edition, f"global_clipnorm={limit}+starts-at-zero", from_zero(clipped))
        # Half the square of a small float16 number is rounded.
        halves = drawn("SGD", {**SHOWING, "global_clipnorm": 0.001}, USUAL, "float16")
        propose(edition, "global_clipnorm=0.001+gradient-small-float16", from_zero(small(halves)))
        for pattern in ("infinite", "nan"):
            spoiled = drawn("SGD", {"global_clipnorm": 0.5}, USUAL, pattern=pattern)
            propose(edition, f"global_clipnorm=0.5+gradient-{pattern}", spoiled)
    for edition in ("tf2.9", "tf2.12", "tf2.15", "keras3"):
        # 1 - 0.99 is not the same in float32 and in float64.
        propose(edition, "use_ema+ema_momentum=0.99", drawn("SGD", {"use_ema": True, "learning_rate": 0.7}, USUAL))
    for edition in ("tf2.12", "tf2.15", "keras3"):
        # A decay that takes most of the weight shows its own last bits.
        config = {"learning_rate": 0.7, "weight_decay": 0.9}
        propose(
            edition, "learning_rate=0.7+weight_decay=0.9+gradient-zero", drawn("SGD", config, USUAL, pattern="zero")
        )
    return cases


def small(case: Document) -> Document:
    """The case with gradients 2**-11 times as large."""
    likes = [variable["value"] for variable in case["variables"]]
    events = [
        {
            "apply": [
                flat(array({**like, "values": g}) * 2.0**-11) for g, like in zip(event["apply"], likes, strict=True)
            ]
        }
        for event in case["events"]
    ]
    return {**case, "events": events}
