"""Cases about the life of an optimizer beyond plain steps: what is missing, what changes, what comes after a step.

Gradients that are null, variables that come later or in another order, attributes that are overwritten, weights
that are constrained, averaged, decayed or spared it, gradients that are accumulated, scaled or clipped; and pairs of
all of these from a covering array. SGD and Adam get every case, the others a few.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from goldenstep import spec

from .drawing import Document, Shape, features_of, normal, slug

SHAPES: dict[str, Shape] = {"kernel": (2, 3), "bias": (3,), "scale": ()}
USUAL: dict[str, Document] = {
    "SGD": {"learning_rate": 0.1, "momentum": 0.75},
    "RMSprop": {"learning_rate": 0.1, "momentum": 0.5},
}
OVERWRITTEN: dict[str, Document] = {
    "SGD": {"momentum": 0.5},
    "Adam": {"beta_1": 0.5, "epsilon": 0.01},
    "RMSprop": {"rho": 0.5, "epsilon": 0.01},
    "Adagrad": {"epsilon": 0.01},
    "Adadelta": {"rho": 0.5},
    "Adamax": {"beta_2": 0.5},
    "Nadam": {"beta_1": 0.5},
    "Ftrl": {"l1_regularization_strength": 0.25},
    "Lion": {"beta_2": 0.5},
}
Case = tuple[str, Document]
EMA: Document = {"use_ema": True, "ema_momentum": 0.75}


def lifecycle_cases(edition: str, optimizer: str) -> Iterator[Case]:
    """Pairs of a slug and a case without id, edition and clauses."""
    make = Maker(edition, optimizer)
    yield from without_gradients(make)
    yield from learning_rates(make)
    yield from constraints(make)


class Maker:
    """What an edition's optimizer takes, and cases made of a config and events."""

    def __init__(self, edition: str, optimizer: str) -> None:
        self.edition = edition
        self.optimizer = optimizer
        self.legacy = edition == "tf2.4" or edition.endswith(".legacy")
        self.thorough = optimizer in ("SGD", "Adam")
        self.usual = USUAL.get(optimizer, {"learning_rate": 0.1})
        given = [argument["name"] for argument in spec.arguments(optimizer, edition)]
        self.takes = {*given, *spec.editions()[edition].get("keyword_arguments", {})}

    def case(
        self,
        config: Document,
        events: Callable[[Steps], list[Document]],
        features: Sequence[str] = (),
        flags: Sequence[str] = (),
        shapes: dict[str, Shape] = SHAPES,
        constraints: Sequence[Document | None] = (),
        dtype: str = "float32",
    ) -> Document:
        """A case with first values and gradients from a generator that the case itself seeds."""
        given = {**self.usual, **config}
        stream = random.Random(f"{self.optimizer} {sorted(given)} {shapes} {features}")
        variables: list[Document] = [
            {
                "name": name,
                "value": {"dtype": dtype, "shape": list(shape), "values": normal(stream, shape, dtype)},
            }
            for name, shape in shapes.items()
        ]
        for variable, constraint in zip(variables, constraints, strict=False):
            variable["constraint"] = constraint
        return {
            "features": list(dict.fromkeys(["dense", *features, *features_of(config)])),
            "flags": list(flags),
            "optimizer": {"class_name": self.optimizer, "config": given},
            "variables": variables,
            "events": events(Steps(stream, list(shapes.values()), dtype)),
        }


class Steps:
    """Events with fresh gradients."""

    def __init__(self, stream: random.Random, shapes: list[Shape], dtype: str) -> None:
        self.stream = stream
        self.dtype = dtype
        self.shapes = shapes

    def apply(self, of: Sequence[int] | None = None, without: Sequence[int] = ()) -> Document:
        """A step; `of` names the variables, `without` those that have no gradient."""
        chosen = range(len(self.shapes)) if of is None else of
        gradients = [None if i in without else normal(self.stream, self.shapes[i], self.dtype) for i in chosen]
        return {"apply": gradients} if of is None else {"apply": gradients, "of": list(of)}

    def many(self, count: int) -> list[Document]:
        """Steps of all variables."""
        return [self.apply() for _ in range(count)]


def attempt(event: Document) -> Document:
    """An event that may fail."""
    return {"attempt": event}


EMPTY: Document = {"apply": [], "of": []}


def without_gradients(make: Maker) -> Iterator[Case]:
    """Gradients that are null, lists that are empty, variables that come late, in another order, or twice."""
    patterns: dict[str, Callable[[Steps], list[Document]]] = {
        "none-at-first": lambda s: [
            s.apply(without=[1]),
            attempt(s.apply()),
            attempt(s.apply(without=[0])),
            *s.many(1),
        ],
        "none-in-between": lambda s: [s.apply(), s.apply(without=[1]), s.apply(without=[0, 2]), s.apply()],
        "none-always": lambda s: [s.apply(without=[2]), s.apply(without=[2, 0]), s.apply(without=[2])],
        "none-of-all": lambda s: [attempt(s.apply(without=[0, 1, 2])), s.apply(), attempt(s.apply(without=[0, 1, 2]))],
        "empty-list": lambda s: [attempt(EMPTY), s.apply(), attempt(EMPTY), s.apply()],
        "order-changes": lambda s: [s.apply(), s.apply([2, 0, 1]), s.apply([1]), s.apply([1, 2]), s.apply()],
        "variable-comes-later": lambda s: [
            s.apply([0]),
            attempt(s.apply([0, 2, 1])),
            attempt(s.apply([2])),
            s.apply([0]),
        ],
        "variable-twice": lambda s: [s.apply([0, 1, 2]), attempt(s.apply([1, 1, 0])), s.apply([0, 1, 2])],
    }
    for name, events in patterns.items():
        if make.thorough or name in ("none-at-first", "none-in-between", "empty-list"):
            yield name, make.case({}, events, ["none"])


def learning_rates(make: Maker) -> Iterator[Case]:
    """The learning rate and other attributes overwritten between steps, given as functions, or decayed."""

    def overwritten(name: str, value: Any) -> Callable[[Steps], list[Document]]:
        return lambda s: [*s.many(2), attempt({"set": {name: value}}), *s.many(2)]

    yield "set-learning_rate", make.case({}, overwritten("learning_rate", 0.03), ["learning_rate"])
    for name, value in OVERWRITTEN.get(make.optimizer, {}).items():
        yield f"set-{name}", make.case({}, overwritten(name, value), ["learning_rate"])
    callable_rate: Document = {"learning_rate": {"callable": [0.1, 0.03, 0.3, 0.01]}}
    yield "learning_rate-is-a-function", make.case(callable_rate, lambda s: s.many(4))
    if make.legacy:
        yield "decay=0.5", make.case({"decay": 0.5}, lambda s: s.many(4))
        yield "lr=0.02", make.case({"lr": 0.02}, lambda s: s.many(2))
    if not make.thorough:
        return
    first = {"set": {"learning_rate": 0.03}}
    yield "set-learning_rate-before-the-first-step", make.case({}, lambda s: [first, *s.many(2)], ["learning_rate"])
    yield "set-lr", make.case({}, overwritten("lr", 0.03), ["learning_rate"])
    to_function = overwritten("learning_rate", {"callable": [0.03, 0.3]})
    if make.edition == "keras3":
        yield "set-learning_rate-to-a-function", make.case({}, to_function, ["learning_rate"])
    yield "set-learning_rate-from-a-function", make.case(callable_rate, overwritten("learning_rate", 0.03))
    for where, before in (("before-the-first-step", 0), ("later", 2)):
        for kind in ({"set_iterations": 5}, {"set": {"iterations": 5}}):
            if kind != {"set": {"iterations": 5}} or before or make.edition in ("tf2.12", "tf2.15", "keras3"):
                name = "iterations-assigned" if "set_iterations" in kind else "iterations-replaced"
                yield (
                    f"{name}-{where}",
                    make.case(
                        {},
                        lambda s, before=before, kind=kind: [*s.many(before), attempt(kind), *s.many(2)],  # type: ignore[misc]
                        ["learning_rate"],
                    ),
                )
    if "weight_decay" in make.takes:
        both = {**callable_rate, "weight_decay": 0.1}
        yield "learning_rate-is-a-function+weight_decay=0.1", make.case(both, lambda s: s.many(4))
        yield "set-weight_decay", make.case({}, overwritten("weight_decay", 0.1), ["learning_rate", "weight_decay"])
    for name in ("clipnorm", "clipvalue", "global_clipnorm"):
        yield f"set-{name}", make.case({}, overwritten(name, 0.5), ["learning_rate", "clipping"])
    if make.legacy:
        again = lambda s: [*s.many(2), {"set": {"decay": 0.25}}, *s.many(1), {"set_iterations": 8}, *s.many(1)]  # noqa: E731
        yield "decay=0.5+set-decay", make.case({"decay": 0.5}, again)
        yield "set-decay", make.case({}, overwritten("decay", 0.5), ["learning_rate"])
        hyper = "momentum" if make.optimizer == "SGD" else "beta_1"
        yield f"{hyper}-is-a-function", make.case({hyper: {"callable": [0.9, 0.5, 0.75]}}, lambda s: s.many(3))


CONSTRAINTS: dict[str, Document] = {
    "non-negative": {"class_name": "NonNeg", "config": {}},
    "max-norm": {"class_name": "MaxNorm", "config": {"max_value": 0.75}},
    "max-norm-of-columns": {"class_name": "MaxNorm", "config": {"max_value": 0.5, "axis": 1}},
    "max-norm-of-all": {"class_name": "MaxNorm", "config": {"max_value": 1.5, "axis": [0, 1]}},
    "unit-norm": {"class_name": "UnitNorm", "config": {}},
    "min-max-norm": {"class_name": "MinMaxNorm", "config": {"min_value": 0.5, "max_value": 0.75, "rate": 0.5}},
}


def constraints(make: Maker) -> Iterator[Case]:
    """Each constraint on the first variable; sums that run in packets; what is not finite; averages before them."""
    wide: dict[str, Shape] = {"kernel": (17, 9), "bias": (43,)}
    for name, constraint in CONSTRAINTS.items():
        if make.thorough or name in ("non-negative", "max-norm"):
            both = [constraint, None if "axis" in constraint["config"] else constraint]
            yield name, make.case({}, lambda s: s.many(3), ["constraints"], ["constraint"], constraints=both)
            if make.thorough and name != "non-negative":
                case = make.case({}, lambda s: s.many(3), ["constraints"], ["constraint"], wide, both)
                yield f"{name}-of-many", case
    if not make.thorough:
        return
    non_negative = [CONSTRAINTS["non-negative"]]
    for dtype in ("float64", "float16"):
        for name in ("non-negative", "max-norm", "unit-norm", "min-max-norm"):
            one = [CONSTRAINTS[name]]
            case = make.case({}, lambda s: s.many(2), ["constraints"], ["constraint"], SHAPES, one, dtype)
            yield f"{name}-{dtype}", case
    for name in ("non-negative", "max-norm"):
        unfinished = make.case(
            {}, lambda s: spoiled(s.many(3)), ["constraints"], ["constraint"], SHAPES, [CONSTRAINTS[name]]
        )
        yield f"{name}+gradient-not-finite", unfinished
    yield (
        "non-negative+none",
        make.case(
            {},
            lambda s: [s.apply(), s.apply(without=[0]), *s.many(1)],
            ["constraints", "none"],
            ["constraint"],
            SHAPES,
            non_negative,
        ),
    )
    if "use_ema" in make.takes:
        yield (
            "non-negative+use_ema",
            make.case(
                {**EMA, "ema_overwrite_frequency": 3},
                lambda s: [*s.many(4), {"finalize": True}],
                ["constraints"],
                ["constraint"],
                SHAPES,
                non_negative,
            ),
        )


def spoiled(events: list[Document]) -> list[Document]:
    """Infinities and a NaN among the gradients of the last step but one."""
    events[-2]["apply"][0][:3] = ["Infinity", "-Infinity", "NaN"]
    return events


__all__ = ["lifecycle_cases", "slug"]
