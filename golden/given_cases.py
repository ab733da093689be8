"""Cases in which a state is given that no step would have left, or an option turned on after the first steps.

Every slot has numbers of its own, and a rule reads it as it is: also a maximum below what it is the maximum of,
momenta at a count of 0, or means of squares of which one is small and the other large.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from typing import Any

from goldenstep import spec
from goldenstep.spec.layout import Entry

from .drawing import Document, Shape, dtypes_of, slug, typed
from .lifecycle_cases import Case, Maker, Steps, attempt
from .remote_cases import numbers, steps_of
from .serialization_cases import entries
from .sparse_cases import configs_of_variants

SHAPES: dict[str, Shape] = {"kernel": (4, 3), "bias": (3,)}
COUNTS = {"start": 0, "middle": 6}
ROWS = [2, 0, 2]
SIGNED = {"m", "linear", "z"}
"""Slots whose numbers have both signs; in the others are squares, norms and products."""


def given_cases(edition: str, optimizer: str) -> Iterator[Case]:
    """Pairs of a slug and a case without id, edition and clauses."""
    make = Maker(edition, optimizer)
    for config in ({}, *configs_of_variants(optimizer, edition)):
        for where, count in COUNTS.items():
            for dtype in dtypes_of(edition, optimizer)[: 1 if config else None]:
                name = "+".join(filter(None, (slug(config), f"given-state-at-the-{where}")))
                yield name if dtype == "float32" else f"{name}-{dtype}", given(make, config, count, dtype)
    for config in configs_of_variants(optimizer, edition):
        for option, value in config.items():
            yield f"sparse-{slug(config)}+{option}-turned", turned(make, config, option, value)


def turned(make: Maker, config: Document, option: str, value: Any) -> Document:
    """Steps of rows before and after an option that chooses the rule is set, and set back."""
    stream = random.Random(f"turned {make.optimizer} {sorted(config)} {option}")
    default = spec.hyperparameters(make.optimizer, make.edition)[option]["default"]
    steps = steps_of(stream, list(SHAPES.values())[:1], [ROWS] * 6, "float32")
    between = [attempt({"set": {option: other}}) for other in (default, value)]
    case = make.case(config, lambda s: [], ["sparse"], shapes={"kernel": SHAPES["kernel"]})
    return {
        **case,
        "features": ["sparse", "learning_rate"],
        "flags": ["overwritten", "goes-on-after-an-error", "duplicate-indices", "untouched-rows"],
        "events": [*steps[:2], between[0], *steps[2:4], between[1], *steps[4:]],
    }


def given(make: Maker, config: Document, count: int, dtype: str) -> Document:
    """A step, and then a state that is given before each of three: of all, of some rows, and of one variable alone."""
    stream = random.Random(f"given {make.optimizer} {sorted(config)} {count}")
    case = make.case(config, lambda s: [], shapes=SHAPES, dtype=dtype)
    state = entries(make.edition, make.optimizer, case["optimizer"]["config"], case["variables"])
    steps = Steps(stream, list(SHAPES.values()), dtype)
    values = {"dtype": dtype, "shape": [len(ROWS), 3], "values": numbers(stream, (len(ROWS), 3), dtype)}
    rows = {"indices": ROWS, "values": values}
    dense, one = steps.apply(), steps.apply(without=[0])
    follow = [attempt(dense), attempt({"apply": [rows, dense["apply"][1]]}), attempt(one)]
    events = [steps.apply()]
    for step in follow:
        arguments = [[array(stream, entry, count) for entry in state]]
        events += [attempt({"call": {"method": "set_weights", "arguments": arguments}}), step]
    return {
        **case,
        "features": ["dense", "sparse", "none", "methods"],
        "flags": ["called", "duplicate-indices", "untouched-rows", "missing-gradient"],
        "events": events,
    }


def array(stream: random.Random, entry: Entry, count: int) -> Document:
    """An entry's numbers, with all digits: signed, or between those that are small and those that are large."""
    size = math.prod(entry.shape)
    values: list[Any]
    if entry.kind == "iteration":
        values = [count]
    elif entry.kind == "learning_rate":
        values = typed([0.137], entry.dtype)
    elif entry.slot in SIGNED:
        values = typed([stream.gauss(0, 0.5) for _ in range(size)], entry.dtype)
    else:
        values = typed([10 ** stream.uniform(-2, 0.5) for _ in range(size)], entry.dtype)
    return {"array": {"dtype": entry.dtype, "shape": list(entry.shape), "values": values}}
