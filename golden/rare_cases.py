"""Cases of Keras 3 in which two rare things meet: a step past the thousandth and a beta, a dtype and an option.

Each is here because some wrong implementation passed all others (tests/wrong/README.md names the case that rejects
it).  Like those of subtle_cases.py they start at 0 where they can.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from .drawing import Document, Shape, faint
from .subtle_cases import Case, Maker, Variables, gradients, plain

TALL: dict[str, Shape] = {"kernel": (5, 2), "bias": (3,)}
LARGE: dict[str, Shape] = {"bias": (1100,)}
ROWS: dict[str, Shape] = {"embedding": (4, 2)}
PAIR: dict[str, Shape] = {"kernel": (2, 3), "bias": (3,)}
LATE = (1000, 1500, 2047, 2999, 4567)


def rare_cases(edition: str, optimizer: str) -> Iterator[Case]:
    """Pairs of a slug and a case without id, edition and clauses."""
    make = Maker(edition, optimizer)
    if edition != "keras3":
        return
    if optimizer == "SGD":
        yield "use_ema+counter-set-back-float16", make.case({"use_ema": True}, PAIR, set_back, "float16", begin=1.0)
        yield "clipnorm=0.5+large", make.case({"clipnorm": 0.5}, LARGE, once)
    if optimizer == "Adam":
        yield "after-a-thousand-steps", make.case({"learning_rate": 1.0, "beta_2": 0.9999}, PAIR, late)
        yield "amsgrad+beta_2=0.5+scalar", make.case({"amsgrad": True, "beta_2": 0.5}, {"scale": ()}, late)
        yield "loss_scale_factor=0.3-float64", make.case({"loss_scale_factor": 0.3}, PAIR, plain, "float64")
    if optimizer == "Adagrad":
        nothing = {"learning_rate": 1.0, "initial_accumulator_value": 0.0}
        yield "initial_accumulator_value=0.0+faint-float16", faint(make.case(nothing, PAIR, plain, "float16"), 2.0**-8)
    if optimizer == "RMSprop":
        yield "momentum=1.0", make.case({"momentum": 1.0}, PAIR, plain)
    if optimizer == "Lion":
        case = make.case({"beta_2": 0.0}, ROWS, rows)
        yield "sparse-beta_2=0.0", {**case, "features": [*case["features"], "sparse"]}
    if optimizer == "Lamb":
        yield "large", make.case({"learning_rate": 0.5}, LARGE, once, begin=1.0)
    if optimizer == "Adafactor":
        yield "after-a-thousand-steps", make.case({"learning_rate": 0.5}, PAIR, late, begin=1.0)
    if optimizer == "Muon":
        yield "nesterov=false+tall", make.case({"nesterov": False, "learning_rate": 1.0}, TALL, plain)


def twice(stream: random.Random, shapes: list[Shape], dtype: str, _: Variables) -> list[Document]:
    """Two steps."""
    return [{"apply": gradients(stream, shapes, dtype)} for _ in range(2)]


def once(stream: random.Random, shapes: list[Shape], dtype: str, _: Variables) -> list[Document]:
    """One step."""
    return [{"apply": gradients(stream, shapes, dtype)}]


def set_back(stream: random.Random, shapes: list[Shape], dtype: str, _: Variables) -> list[Document]:
    """Two steps, then two after the counter was set to 0."""
    before, after = (twice(stream, shapes, dtype, []) for _ in range(2))
    return [*before, {"attempt": {"set_iterations": 0}}, *after]


def late(stream: random.Random, shapes: list[Shape], dtype: str, _: Variables) -> list[Document]:
    """A step, then one after each of some later ones."""
    events: list[Document] = [{"apply": gradients(stream, shapes, dtype)}]
    for count in LATE:
        events += [{"attempt": {"set_iterations": count}}, {"apply": gradients(stream, shapes, dtype)}]
    return events


def rows(stream: random.Random, shapes: list[Shape], dtype: str, _: Variables) -> list[Document]:
    """Three steps of some rows, one of them twice."""

    def some(indices: list[int]) -> dict[str, Any]:
        shape = (len(indices), *shapes[0][1:])
        return {
            "indices": indices,
            "values": {"dtype": dtype, "shape": list(shape), "values": gradients(stream, [shape], dtype)[0]},
        }

    return [{"apply": [some(indices)]} for indices in ([0, 2], [2, 1, 2], [3])]
