"""What the cases about methods are made of: calls, attributes read and overwritten, with fresh numbers."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from .drawing import Document, Shape, normal

SHAPES: dict[str, Shape] = {"kernel": (2, 3), "bias": (3,)}
LEGACY = ("tf2.4", "tf2.9.legacy", "tf2.12.legacy", "tf2.15.legacy")
KERAS_2 = ("tf2.9", "tf2.12", "tf2.15")
KERAS_3 = ("keras3",)
LISTED = ("tf2.12", "tf2.15", "keras3")  # the state is a list that grows, whatever an attribute is called
Events = Callable[["Calls"], list[Document]]
Topic = tuple[str, str, Document, Events]


class Calls:
    """Events of one case, with fresh numbers from a generator that the case itself seeds."""

    def __init__(self, stream: random.Random, dtype: str = "float32") -> None:
        self.stream = stream
        self.dtype = dtype

    def apply(self, without: Sequence[int] = ()) -> Document:
        """A step of all variables."""
        gradients = [normal(self.stream, shape, self.dtype) for shape in SHAPES.values()]
        return {"apply": [None if i in without else g for i, g in enumerate(gradients)]}

    def tensor(self, shape: Shape, kind: str = "tensor") -> Document:
        """Numbers as a tensor, or as an array, of the case's dtype."""
        return {kind: {"dtype": self.dtype, "shape": list(shape), "values": normal(self.stream, shape, self.dtype)}}

    def gradients(self) -> list[Document]:
        """A gradient for each variable, as arguments."""
        return [self.tensor(shape) for shape in SHAPES.values()]

    def pairs(self) -> list[list[Document]]:
        """Gradients with their variables, as arguments."""
        return [[g, v] for g, v in zip(self.gradients(), BOTH, strict=True)]

    def loss(self, *of: int, square: bool = True) -> list[Document]:
        """Terms of a loss, quadratic unless said otherwise, of some variables."""
        shapes = list(SHAPES.values())
        square_of = {i: normal(self.stream, shapes[i], self.dtype) for i in of}
        linear_of = {i: normal(self.stream, shapes[i], self.dtype) for i in of}
        return [{"of": i, **({"square": square_of[i]} if square else {}), "linear": linear_of[i]} for i in of]


KERNEL: Document = {"variable": 0}
BIAS: Document = {"variable": 1}
BOTH = [KERNEL, BIAS]


def get(name: str) -> Document:
    """An attribute."""
    return {"attempt": {"get": name}}


def call(method: str, *arguments: Any, **keywords: Any) -> Document:
    """A method."""
    event: Document = {"method": method}
    if arguments:
        event["arguments"] = list(arguments)
    if keywords:
        event["keywords"] = keywords
    return {"attempt": {"call": event}}


def let(name: str, value: Any) -> Document:
    """An attribute overwritten."""
    return {"attempt": {"set": {name: value}}}


def scalar(value: float, dtype: str = "float32", kind: str = "array") -> Document:
    """A number as an array or tensor."""
    return {kind: {"dtype": dtype, "shape": [], "values": [value]}}


def state_of(s: Calls, slots: int, step: int = 3) -> list[Document]:
    """Iterations and slots, as `set_weights` takes them in OptimizerV2."""
    return [scalar(step, "int64"), *(s.tensor(shape, "array") for _ in range(slots) for shape in SHAPES.values())]


def of_iterators(s: Calls) -> list[Document]:
    """apply_gradients of pairs that can be gone through once, of none, and of a list."""
    return [*(call("apply_gradients", {"iterator": pairs}) for pairs in (s.pairs(), [])), s.apply()]


def stores_of_nothing(s: Calls, method: str) -> list[Document]:
    """Stores without arrays, and with a number that is none, before the state is made and after."""
    loaded = [call(method, {"config": store}) for store in ({}, {"0": 1})]
    return [*loaded, s.apply(), *loaded, s.apply()]


CALLABLE: Document = {"callable": [0.5, 0.75, 0.25, 0.6]}
SCHEDULE: Document = {
    "class_name": "ExponentialDecay",
    "config": {"initial_learning_rate": 0.5, "decay_steps": 2, "decay_rate": 0.25},
}


def attempt(event: Document) -> Document:
    """An event that may fail."""
    return {"attempt": event}


def amsgrad() -> Iterator[Topic]:
    """Adam's maximum is asked for after the state was made without it, and before it is made."""
    yield (
        "amsgrad-after-build",
        "overwrite",
        {},
        lambda s: [
            s.apply(),
            let("amsgrad", True),
            get("amsgrad"),
            attempt(s.apply()),
            let("amsgrad", False),
            s.apply(),
        ],
    )
    yield (
        "amsgrad-before-build",
        "overwrite",
        {},
        lambda s: [
            let("amsgrad", True),
            s.apply(),
            let("amsgrad", False),
            s.apply(),
            let("amsgrad", True),
            s.apply(),
        ],
    )
