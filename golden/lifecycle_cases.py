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
    yield from twice_at_first(make)
    yield from learning_rates(make)
    yield from constraints(make)
    yield from averages(make)
    yield from weight_decays(make)
    yield from clips(make)
    yield from accumulations(make)
    yield from combinations(make)


class Maker:
    """What an edition's optimizer takes, and cases made of a config and events."""

    def __init__(self, edition: str, optimizer: str) -> None:
        self.edition = edition
        self.optimizer = optimizer
        self.legacy = edition == "tf2.4" or edition.endswith(".legacy")
        self.kind = "legacy" if self.legacy else {"tf2.9": "experimental", "keras3": "keras3"}.get(edition, "keras2")
        self.thorough = optimizer in ("SGD", "Adam")
        self.other_dtypes = ("float64", "float16") if optimizer == "Adam" else ()
        self.usual = USUAL.get(optimizer, {"learning_rate": 0.1})
        self.takes = set(spec.taken(optimizer, edition))

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
        played = events(Steps(stream, list(shapes.values()), dtype))
        found = {flag for event in played for kind in event for flag in FLAGS.get(kind, ())}
        if "none" in features:
            found.add("missing-gradient")
        return {
            "features": list(dict.fromkeys(["dense", *features, *features_of(config)])),
            "flags": [*flags, *sorted(found)],
            "optimizer": {"class_name": self.optimizer, "config": given},
            "variables": variables,
            "events": played,
        }


FLAGS = {
    "attempt": ["goes-on-after-an-error"],
    "set": ["overwritten"],
    "set_iterations": ["overwritten"],
    "finalize": ["finalized"],
    "exclude": ["spared-decay"],
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


def amid(before: int, event: Document) -> Callable[[Steps], list[Document]]:
    """An event after so many steps, and two steps after it."""
    return lambda s: [*s.many(before), event, *s.many(2)]


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


def twice_at_first(make: Maker) -> Iterator[Case]:
    """A variable that stands twice in the very list that makes the state."""
    configs: dict[str, Document] = {"": {}, "ema-2": {"use_ema": True, "ema_overwrite_frequency": 2}}
    configs["accumulation"] = {"gradient_accumulation_steps": 2}

    def events(s: Steps) -> list[Document]:
        lists = [([1, 0, 1], ()), ([1, 0, 1], ()), ([1, 0, 1], (1,)), ([0, 1], ()), ([0, 1], ())]
        return [attempt(s.apply(of, without)) for of, without in lists]

    for name, config in configs.items():
        if set(config) <= make.takes:
            yield f"variable-twice-at-first{name and '+'}{name}", make.case(config, events, ["none"])


def learning_rates(make: Maker) -> Iterator[Case]:
    """The learning rate and other attributes overwritten between steps, given as functions, or decayed."""

    def overwritten(name: str, value: Any) -> Callable[[Steps], list[Document]]:
        return lambda s: [*s.many(2), attempt({"set": {name: value}}), *s.many(2)]

    def overwritten_late(name: str, value: Any) -> Callable[[Steps], list[Document]]:
        return lambda s: [s.apply(), {"set_iterations": 20}, s.apply(), {"set": {name: value}}, *s.many(2)]

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
    for name, value in OVERWRITTEN[make.optimizer].items():
        yield f"set-{name}-late", make.case({}, overwritten_late(name, value), ["learning_rate"])
    first = {"set": {"learning_rate": 0.03}}
    yield "set-learning_rate-before-the-first-step", make.case({}, lambda s: [first, *s.many(2)], ["learning_rate"])
    yield "set-lr", make.case({}, overwritten("lr", 0.03), ["learning_rate"])
    to_function = overwritten("learning_rate", {"callable": [0.03, 0.3]})
    if make.edition == "keras3":
        yield "set-learning_rate-to-a-function", make.case({}, to_function, ["learning_rate"])
    longer: Document = {"learning_rate": {"callable": [0.1, 0.03, 0.3, 0.01, 0.2, 0.02]}}
    yield "set-learning_rate-from-a-function", make.case(longer, overwritten("learning_rate", 0.03))
    if make.optimizer == "SGD":
        yield (
            "set-momentum-from-0",
            make.case(
                {"momentum": 0.0},
                lambda s: [*s.many(1), {"set": {"momentum": 0.5}}, attempt(s.apply())],
                ["learning_rate"],
            ),
        )
        yield "set-momentum-to-0", make.case({}, overwritten("momentum", 0.0), ["learning_rate"])
        yield "set-nesterov", make.case({}, overwritten("nesterov", True), ["learning_rate"])
    for where, before in (("before-the-first-step", 0), ("later", 2)):
        for kind in ({"set_iterations": 5}, {"set": {"iterations": 5}}):
            if kind != {"set": {"iterations": 5}} or before or make.edition in ("tf2.12", "tf2.15", "keras3"):
                name = "iterations-assigned" if "set_iterations" in kind else "iterations-replaced"
                yield (
                    f"{name}-{where}",
                    make.case(
                        {},
                        amid(before, attempt(kind)),
                        ["learning_rate"],
                    ),
                )
    if "weight_decay" in make.takes:
        both = {**callable_rate, "weight_decay": 0.1}
        yield "learning_rate-is-a-function+weight_decay=0.1", make.case(both, lambda s: s.many(4))
        yield "set-weight_decay", make.case({}, overwritten("weight_decay", 0.1), ["learning_rate", "weight_decay"])
    for name in CLIPS:
        yield f"set-{name}", make.case({}, overwritten(name, 0.5), ["learning_rate", "clipping"])
        given = {"global_clipnorm" if name == "clipnorm" else "clipnorm": 0.75}
        yield f"{slug(given)}+set-{name}", make.case(given, overwritten(name, 0.5), ["learning_rate"])
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
            if make.other_dtypes and name != "non-negative":
                case = make.case({}, lambda s: s.many(3), ["constraints"], ["constraint"], wide, both)
                yield f"{name}-of-many", case
    if not make.thorough:
        return
    non_negative = [CONSTRAINTS["non-negative"]]
    for dtype in make.other_dtypes:
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


FINALIZE: Document = {"finalize": True}


def averages(make: Maker) -> Iterator[Case]:
    """Moving averages: the first, with null gradients, written back after some steps, at the end, and too early."""
    if not make.thorough and make.optimizer != "RMSprop":
        return
    if "use_ema" not in make.takes:
        yield "finalize", make.case({}, lambda s: [*s.many(1), attempt(FINALIZE), *s.many(1)], ["ema"])
        return
    often = {**EMA, "ema_overwrite_frequency": 2}
    yield "use_ema+finalize", make.case(EMA, lambda s: [*s.many(2), FINALIZE, *s.many(1), FINALIZE])
    if make.optimizer == "RMSprop":
        hundred = make.case({"use_ema": True}, lambda s: [{"repeat": 25, "events": s.many(4)}, *s.many(1)])
        yield "use_ema+hundred-steps", {**hundred, "keep": [1, 99, 100, 101]}
        return
    yield "use_ema+finalize-at-first", make.case(EMA, lambda s: [attempt(FINALIZE), *s.many(1), FINALIZE])
    idle = make.case({}, lambda s: [attempt(FINALIZE), *s.many(1), FINALIZE])
    yield "finalize", {**idle, "features": [*idle["features"], "ema"]}
    yield (
        "use_ema+finalize-some",
        make.case(
            EMA,
            lambda s: [
                *s.many(2),
                attempt({**FINALIZE, "of": [0, 1]}),
                attempt({**FINALIZE, "of": [1, 0, 2]}),
                *s.many(1),
            ],
        ),
    )
    same: dict[str, Shape] = {"kernel": (3,), "bias": (3,), "scale": ()}
    for config, name in ((EMA, "use_ema"), (often, "use_ema+ema_overwrite_frequency=2")):
        yield f"{name}+none", make.case(config, lambda s: nulls(s), ["none"], shapes=same)
        yield (
            f"{name}+order-changes",
            make.case(
                config,
                lambda s: [s.apply(), attempt(s.apply([1, 0])), attempt(s.apply([2])), s.apply()],
                ["none"],
                shapes=same,
            ),
        )
    yield (
        "use_ema+none-of-another-shape",
        make.case(EMA, lambda s: [s.apply(), attempt(s.apply(without=[0])), s.apply()], ["none"]),
    )
    yield (
        "use_ema+none-of-a-row",
        make.case(
            EMA,
            lambda s: [s.apply(), attempt(s.apply(without=[0])), s.apply()],
            ["none"],
            shapes={"kernel": (2, 3), "bias": (3,)},
        ),
    )
    yield (
        "use_ema+set-ema_momentum",
        make.case(often, lambda s: [*s.many(2), {"set": {"ema_momentum": 0.25}}, *s.many(2)], ["learning_rate"]),
    )
    yield (
        "use_ema+iterations-assigned",
        make.case(
            often,
            lambda s: [*s.many(1), {"set_iterations": 0}, *s.many(1), {"set_iterations": 5}, *s.many(1)],
            ["learning_rate"],
        ),
    )
    for momentum in (0.0, 1.0):
        edge = {**EMA, "ema_momentum": momentum, "ema_overwrite_frequency": 1}
        yield f"use_ema+ema_momentum={momentum}", make.case(edge, lambda s: s.many(2))
    for dtype in make.other_dtypes:
        yield f"use_ema-{dtype}", make.case(often, lambda s: s.many(3), dtype=dtype)


def nulls(s: Steps) -> list[Document]:
    """Null gradients from the second step on, each step on its own."""
    return [
        s.apply(),
        attempt(s.apply(without=[0])),
        attempt(s.apply(without=[1, 2])),
        attempt(s.apply(without=[2])),
        s.apply(),
    ]


def weight_decays(make: Maker) -> Iterator[Case]:
    """Variables that are spared weight decay: by themselves, by name, all, in two calls, too late."""
    decay: Document = {"weight_decay": 0.5}
    excluded: dict[str, Document] = {
        "a-variable": {"variables": [1]},
        "a-name": {"names": ["bias"]},
        "a-pattern": {"names": ["^k.*l", "e$", "scale:"]},
        "both": {"variables": [0], "names": ["sca"]},
        "all": {"names": ["."]},
    }
    if "weight_decay" not in make.takes:
        if make.thorough:
            late = attempt({"exclude": excluded["a-name"]})
            yield "exclude-a-name", make.case({}, lambda s: [late, *s.many(2)], ["weight_decay"])
        return
    for name, which in excluded.items():
        if make.thorough or (
            name in ("a-name", "a-pattern") and make.optimizer in ("AdamW", "Muon", "Lion", "RMSprop")
        ):
            first = attempt({"exclude": which})
            yield f"exclude-{name}", make.case(decay, amid(0, first))
    if make.optimizer == "Muon":
        ends = {"exclude": {"names": ["l$", "^bi"]}}
        yield "exclude-the-end-of-a-name", make.case(decay, lambda s: [ends, *s.many(2)])
    if not make.thorough:
        return
    spared = {"exclude": {"variables": [0]}}
    moved = lambda s: [spared, s.apply(), s.apply([2, 0, 1]), s.apply(without=[1]), attempt(s.apply([1, 2]))]  # noqa: E731
    yield "exclude-a-variable+order-changes", make.case(decay, moved, ["none"])
    always: Document = {**decay, "use_ema": True, "ema_momentum": 0.75, "ema_overwrite_frequency": 1}
    yield "weight_decay=0.5+use_ema+ema_overwrite_frequency=1", make.case(always, lambda s: s.many(3))
    by_name, by_variable = {"exclude": excluded["a-name"]}, {"exclude": excluded["a-variable"]}
    yield "exclude-twice", make.case(decay, lambda s: [by_name, by_variable, *s.many(2)])
    yield "exclude-later", make.case(decay, lambda s: [*s.many(2), attempt(by_name), *s.many(2)])
    yield "exclude-another-later", make.case(decay, lambda s: [by_variable, *s.many(1), attempt(by_name), *s.many(2)])
    yield "weight_decay=0.5+none", make.case(decay, lambda s: [s.apply(without=[1]), *s.many(1)], ["none"])
    yield "weight_decay=0", make.case({"weight_decay": 0.0}, lambda s: s.many(2))
    yield "weight_decay=-0.5", make.case({"weight_decay": -0.5}, lambda s: s.many(2))
    for dtype in make.other_dtypes:
        yield f"weight_decay=0.5-{dtype}", make.case(decay, lambda s: s.many(2), dtype=dtype)


CLIPS: tuple[str, ...] = ("clipnorm", "clipvalue", "global_clipnorm")


def clips(make: Maker) -> Iterator[Case]:
    """Thresholds of 0, gradients of 0, and ones that are not finite; two kinds at once; some gradients null."""
    if not make.thorough:
        return
    several: dict[str, Shape] = {"kernel": (17, 9), "bias": (43,), "scale": ()}
    for kind in CLIPS:
        config = {kind: 0.5}
        yield f"{kind}=0", make.case({kind: 0.0}, lambda s: s.many(2))
        yield f"{kind}=0.5+gradient-not-finite", make.case(config, lambda s: spoiled(s.many(3)))
        yield (
            f"{kind}=0.5+zero",
            make.case(config, lambda s: [*s.many(1), {"apply": [[0.0] * 6, [0.0] * 3, [0.0]]}, *s.many(1)]),
        )
        yield (
            f"{kind}=0.5+none",
            make.case(config, lambda s: [s.apply(), s.apply(without=[0]), s.apply(without=[1, 2])], ["none"]),
        )
        yield f"{kind}=0.5+many", make.case(config, lambda s: s.many(2), shapes=several)
        yield f"{kind}=100", make.case({kind: 100.0}, lambda s: s.many(2))
        for dtype in make.other_dtypes:
            yield f"{kind}=0.5-{dtype}", make.case(config, lambda s: s.many(2), dtype=dtype)
    for one, other in (("clipnorm", "clipvalue"), ("clipvalue", "global_clipnorm")):
        config = {one: 0.5, other: 0.75}
        if make.edition != "keras3":  # which refuses it
            yield slug(config), make.case(config, lambda s: s.many(2))


def accumulations(make: Maker) -> Iterator[Case]:
    """Gradients gathered over several calls, and gradients of a loss that was multiplied."""
    if "gradient_accumulation_steps" not in make.takes:
        return
    two: Document = {"gradient_accumulation_steps": 2}
    yield "gradient_accumulation_steps=2", make.case(two, lambda s: s.many(5))
    if not make.thorough:
        return
    yield "gradient_accumulation_steps=3", make.case({"gradient_accumulation_steps": 3}, lambda s: s.many(7))
    yield "gradient_accumulation_steps=0", make.case({"gradient_accumulation_steps": 0}, lambda s: s.many(2))
    yield "accumulation+none-first", make.case(two, lambda s: [s.apply(without=[0]), *s.many(3)], ["none"])
    yield (
        "accumulation+none-on-update",
        make.case(two, lambda s: [s.apply(), s.apply(without=[0]), *s.many(2)], ["none"]),
    )
    yield (
        "accumulation+none-in-both",
        make.case(two, lambda s: [*(s.apply(without=[0]) for _ in range(2)), *s.many(2)], ["none"]),
    )
    yield (
        "accumulation+order-changes",
        make.case(two, lambda s: [s.apply(), s.apply([2, 0]), s.apply([1]), s.apply()], ["none"]),
    )
    yield (
        "accumulation+set-learning_rate",
        make.case(two, lambda s: [*s.many(3), {"set": {"learning_rate": 0.03}}, *s.many(1)], ["learning_rate"]),
    )
    yield (
        "accumulation+iterations-assigned",
        make.case(two, lambda s: [*s.many(1), attempt({"set_iterations": 4}), *s.many(1)], ["learning_rate"]),
    )
    function: Document = {"learning_rate": {"callable": [0.1, 0.03, 0.3, 0.01]}}
    options: list[Document] = [
        {"weight_decay": 0.5},
        {"clipnorm": 0.5},
        {"global_clipnorm": 0.5},
        {"clipvalue": 0.25},
        EMA,
        {**EMA, "ema_overwrite_frequency": 3},
        {"loss_scale_factor": 8.0},
        function,
    ]
    for option in options:
        name = "learning_rate-is-a-function" if option is function else slug(option)
        yield f"accumulation+{name}", make.case({**two, **option}, lambda s: s.many(6))
    yield (
        "accumulation+non-negative",
        make.case(two, lambda s: s.many(4), ["constraints"], ["constraint"], constraints=[CONSTRAINTS["non-negative"]]),
    )
    yield (
        "loss_scale_factor=3",
        make.case({"loss_scale_factor": 3.0}, lambda s: [*s.many(1), s.apply(without=[1])], ["none"]),
    )
    yield (
        "loss_scale_factor=1024+clipnorm=0.5",
        make.case({"loss_scale_factor": 1024.0, "clipnorm": 0.5}, lambda s: s.many(2)),
    )
    for dtype in make.other_dtypes:
        yield (
            f"gradient_accumulation_steps=3-{dtype}",
            make.case({"gradient_accumulation_steps": 3, "loss_scale_factor": 3.0}, lambda s: s.many(4), dtype=dtype),
        )


def combinations(make: Maker) -> Iterator[Case]:
    """Configurations that hold every pair of options of the pipeline at least once, six steps each."""
    from allpairspy import AllPairs

    if make.optimizer not in ("SGD", "Adam", "RMSprop"):
        return
    every: dict[str, list[tuple[str, Any]]] = {
        "weight_decay": [("", {}), ("decay", {"weight_decay": 0.5})],
        "clip": [("", {}), *((kind, {kind: 0.5}) for kind in CLIPS)],
        "use_ema": [("", {}), ("ema", EMA), ("ema-2", {**EMA, "ema_overwrite_frequency": 2})],
        "gradient_accumulation_steps": [
            ("", {}),
            *((f"every-{n}", {"gradient_accumulation_steps": n}) for n in (2, 3)),
        ],
        "loss_scale_factor": [("", {}), ("scale", {"loss_scale_factor": 8.0})],
        "lr": [("", {}), ("lr", {"lr": 0.02}), ("decayed", {"decay": 0.5})],
    }
    takes = make.takes | {"clip"}
    levels = [options for name, options in every.items() if name in takes]
    levels.append([("", None), ("non-negative", CONSTRAINTS["non-negative"]), ("max-norm", CONSTRAINTS["max-norm"])])
    levels.append([("", ()), ("none-first", (1,)), ("none-last", (2,))])
    levels.append([("", []), ("set", [{"set": {"learning_rate": 0.03}}])])
    for *options, (one, constraint), (two, without), (three, events) in AllPairs(levels):
        names = [*(name for name, _ in options), one, two, three]
        config = {key: value for _, option in options for key, value in option.items()}
        features = ["constraints"] * bool(constraint) + ["none"] * bool(without) + ["learning_rate"] * bool(events)

        def played(s: Steps, without: Sequence[int] = without, events: Sequence[Document] = events) -> list[Document]:
            steps = [attempt(s.apply(without=without if i in (1, 4) else ())) for i in range(6)]
            return [*steps[:3], *events, *steps[3:]]

        flags = ["combination"] + ["constraint"] * bool(constraint)
        name = "combined-" + ("+".join(filter(None, names)) or "of-nothing")
        yield name, make.case(config, played, features, flags, constraints=[constraint, constraint])


def spoiled(events: list[Document]) -> list[Document]:
    """Infinities and a NaN among the gradients of the last step but one."""
    events[-2]["apply"][0][:3] = ["Infinity", "-Infinity", "NaN"]
    return events


__all__ = ["lifecycle_cases", "slug"]
