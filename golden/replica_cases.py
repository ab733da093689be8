"""Cases of several replicas with gradients of their own, and of the arguments that say whether they are summed.

Two replicas, each with two variables. What is clipped, the gradients of each or their sum? What is left of a sparse
gradient? And what becomes of copies that are not kept alike?
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from .drawing import Document, Shape, slug
from .lifecycle_cases import EMA, Case, Maker, Steps, attempt

SHAPES: dict[str, Shape] = {"kernel": (2, 3), "bias": (3,)}
ROWS = ([[1, 1, 0], [0]], [[0], [1, 1]])
"""Indices of the rows of the kernel, by step and replica."""
SUMMED_OFF = {
    "experimental_aggregate_gradients": False,
    "skip_gradients_aggregation": True,
    "aggregate_gradients": False,
}
TWICE: Document = {"multiply": 2.0}
OPTIONS: list[Document] = [
    {"clipnorm": 0.5},
    {"clipvalue": 0.5},
    {"global_clipnorm": 0.5},
    {"weight_decay": 0.5},
    {**EMA, "ema_overwrite_frequency": 2},
    {"gradient_accumulation_steps": 2},
    {"gradient_accumulation_steps": 2, "clipnorm": 0.5},
    {"loss_scale_factor": 8.0},
    {"decay": 0.5},
]


def replica_cases(edition: str, optimizer: str) -> Iterator[Case]:
    """Pairs of a slug and a case without id, edition and clauses."""
    make = Maker(edition, optimizer)
    if optimizer in ("SGD", "Adam"):
        yield from arguments(make)
        yield from functions(make)
    if optimizer not in ("SGD", "Adam", "Nadam", "Adagrad"):
        return
    dtype = "float32" if optimizer == "SGD" else "float64"

    def case(config: Document, events: Callable[[Steps], list[Document]], features: Sequence[str] = ()) -> Document:
        drawn = make.case(config, events, ["aggregation", *features], shapes=SHAPES, dtype=dtype)
        return {**drawn, "flags": [*drawn["flags"], "replicas"], "replicas": 2}

    off = OFF[make.kind]
    yield "replicas", case({}, lambda s: steps(s, 3))
    yield "replicas-sparse", case({}, lambda s: [sparse(s, rows) for rows in ROWS], ["sparse"])
    if off:
        yield "replicas-not-summed", case({}, lambda s: steps(s, 3, off))
        yield "replicas-not-summed-sparse", case({}, lambda s: [sparse(s, rows, off) for rows in ROWS], ["sparse"])
    for value in ("True", "False") if make.kind == "keras2" else ():
        both = dict.fromkeys(("experimental_aggregate_gradients", "skip_gradients_aggregation"), value == "True")
        yield f"replicas-both-arguments-{value.lower()}", case({}, functools.partial(steps, count=2, arguments=both))
    if optimizer != "SGD":
        return
    yield "replicas-none", case({}, lambda s: [on_both(s, [1]), on_both(s), on_both(s, [0])], ["none"])
    if not edition.startswith("tf2.15"):  # where replicas then wait for one another, and no later step is taken
        yield "replicas-sparse-and-dense", case({}, lambda s: [attempt(mixed(s, k)) for k in (0, 1)], ["sparse"])
    for config in (option for option in OPTIONS if set(option) <= make.takes):
        yield f"replicas-{slug(config)}", case(config, lambda s: steps(s, 4))
        if off and make.kind != "keras3":
            yield f"replicas-not-summed-{slug(config)}", case(config, lambda s: steps(s, 3, off))
    for config in (option for option in OPTIONS[:3] if make.kind != "keras3"):
        yield f"replicas-sparse-{slug(config)}", case(config, lambda s: [sparse(s, rows) for rows in ROWS], ["sparse"])
    if make.kind != "legacy":
        yield "replicas-none-on-one", case({}, lambda s: [attempt(none_of_one(s, 1))], ["none"])
    if make.kind == "legacy":
        for name, config in FUNCTIONS.items():
            yield f"replicas-{name}", case(config, lambda s: steps(s, 2))


OFF: dict[str, Document] = {
    "legacy": {"experimental_aggregate_gradients": False},
    "experimental": {"skip_gradients_aggregation": True},
    "keras2": {"skip_gradients_aggregation": True},
    "keras3": {},
}
FUNCTIONS: dict[str, Document] = {
    "gradient_aggregator": {"gradient_aggregator": TWICE},
    "gradient_transformers": {"gradient_transformers": [TWICE, TWICE]},
    "both-functions": {"gradient_aggregator": TWICE, "gradient_transformers": [TWICE]},
}


def arguments(make: Maker) -> Iterator[Case]:
    """Every edition's arguments on a single replica, and those of the other editions."""
    for name, value in SUMMED_OFF.items():
        for given in (value, not value):
            yield (
                f"argument-{slug({name: str(given)})}",
                make.case({}, with_argument({name: given}), ["aggregation"], shapes=SHAPES),
            )


def with_argument(argument: Document) -> Callable[[Steps], list[Document]]:
    """A step with a further argument, and one without."""
    return lambda s: [attempt({**s.apply(), "arguments": argument}), s.apply()]


def functions(make: Maker) -> Iterator[Case]:
    """Functions of gradients on a single replica, alone and beside clipping."""
    for name, config in FUNCTIONS.items():
        features = ["aggregation"] if make.kind == "legacy" else ["aggregation", "errors"]
        yield name, make.case(config, lambda s: s.many(2), features, shapes=SHAPES)
        for more in ({"clipnorm": 0.5}, {"clipvalue": 0.5}, {"global_clipnorm": 0.5}):
            errors = ["aggregation", "errors"]
            yield f"{name}+{slug(more)}", make.case({**config, **more}, lambda s: s.many(1), errors, shapes=SHAPES)
    none: Document = {"gradient_transformers": None, "gradient_aggregator": None, "clipnorm": 0.5}
    if make.kind == "legacy":
        yield "no-functions+clipnorm=0.5", make.case(none, lambda s: s.many(2), ["aggregation"], shapes=SHAPES)
        off = {"arguments": OFF["legacy"]}
        for name, config in FUNCTIONS.items():
            case = make.case(config, lambda s: [{**s.apply(), **off}, s.apply()], ["aggregation"], shapes=SHAPES)
            yield f"{name}-not-summed", case


def steps(s: Steps, count: int, arguments: Document | None = None) -> list[Document]:
    """Steps of two replicas, each with gradients of its own."""
    return [on_both(s, arguments=arguments) for _ in range(count)]


def on_both(s: Steps, without: Sequence[int] = (), arguments: Document | None = None) -> Document:
    """A step of two replicas; `without` names the variables that have no gradient on either."""
    return replicated([s.apply(without=without)["apply"] for _ in range(2)], arguments)


def none_of_one(s: Steps, variable: int) -> Document:
    """A step in which only the first replica has a gradient of one of the variables."""
    return replicated([s.apply()["apply"], s.apply(without=[variable])["apply"]])


def sparse(s: Steps, rows: Sequence[Sequence[int]], arguments: Document | None = None) -> Document:
    """A step in which the kernel's gradient is sparse on both replicas."""
    return replicated([[sliced(s, indices), s.apply()["apply"][1]] for indices in rows], arguments)


def mixed(s: Steps, which: int) -> Document:
    """A step in which the kernel's gradient is sparse on one replica only."""
    gradients = [s.apply()["apply"], s.apply()["apply"]]
    gradients[which][0] = sliced(s, [1, 0, 1])
    return replicated(gradients)


def sliced(s: Steps, indices: Sequence[int]) -> Document:
    """A sparse gradient of the kernel."""
    values: list[Any] = [x for _ in indices for x in s.apply([1])["apply"][0]]
    return {"indices": list(indices), "values": {"dtype": s.dtype, "shape": [len(indices), 3], "values": values}}


def replicated(gradients: list[Any], arguments: Document | None = None) -> Document:
    """The event of gradients by replica."""
    return {"apply_replicas": gradients, **({"arguments": arguments} if arguments else {})}
