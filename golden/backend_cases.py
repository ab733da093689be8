"""Cases of Keras 3 that its other backends have pipelines of their own for: what one of them keeps, resets or shares.

JAX plays both sides of every condition, torch steps all variables at once, and each has a base class that does so.
"""

from __future__ import annotations

from collections.abc import Iterator

from .drawing import Document, Shape
from .lifecycle_cases import Case, Maker, Steps

HALF: dict[str, Shape] = {"half": (2, 3), "bias": (5,)}


def backend_cases(edition: str, optimizer: str) -> Iterator[Case]:
    """Pairs of a slug and a case without id, edition and clauses."""
    if edition != "keras3":
        return
    make = Maker(edition, optimizer)
    yield "half-and-float32", half_first(make)
    if optimizer == "SGD":
        gathered = {"gradient_accumulation_steps": 2, "clipvalue": 0.5}
        yield "accumulation+clipvalue=0.5+gradient-once-infinite", make.case(gathered, once_infinite)
        averaged = {"use_ema": True, "ema_momentum": 0.75, "ema_overwrite_frequency": 3}
        yield "use_ema+ema_overwrite_frequency=3+gradient-once-infinite", make.case(averaged, once_infinite)


def half_first(make: Maker) -> Document:
    """Two variables, the first in float16 and the second in float32: each is stepped in its own dtype."""
    case = make.case({}, lambda s: s.many(3), shapes=HALF, dtype="float16")
    case["variables"][1]["value"]["dtype"] = "float32"
    for event in case["events"]:
        event["apply"][1] = {"dtype": "float32", "shape": list(HALF["bias"]), "values": event["apply"][1]}
    return case


def once_infinite(s: Steps) -> list[Document]:
    """Five steps; the first has a gradient with an infinite element."""
    first = s.apply()
    first["apply"][0][0] = "Infinity"
    return [first, *s.many(4)]
