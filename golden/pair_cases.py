"""A covering array: every pair of levels of everything that a step can be made of, in short runs of four optimizers.

What cases of one option at a time can't show is one option in the way of another. So for each optimizer the runs hold
every pair of: its own variants, dense or sparse gradients, null ones, the kind of learning rate, what is overwritten
on the way, weight decay with and without exceptions, the kind of clipping, averages and where they are written back,
accumulation, a loss that was scaled, constraints, and dtypes. An id names the levels that are not the first of their
factor: `keras3/pairs/adam-amsgrad+rows+schedule+decay+clipvalue-float64`.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Sequence
from typing import Any

from goldenstep import spec

from .drawing import Document, Shape, features_of, normal
from .optimizer_schedule_cases import EXPONENTIAL

OPTIMIZERS = ("SGD", "Adam", "RMSprop", "Ftrl")
SHAPES: dict[str, Shape] = {"kernel": (3, 2), "bias": (2,)}
STEPS = 4
ROWS = [[2, 0], [1, 1], [0, 2, 0], [1]]
"""The rows of the kernel that have a gradient in each step; some stand twice."""
PLAIN = "plain"
VARIANTS: dict[str, dict[str, Document]] = {
    "SGD": {PLAIN: {}, "momentum": {"momentum": 0.75}, "nesterov": {"momentum": 0.75, "nesterov": True}},
    "Adam": {PLAIN: {"epsilon": 0.01}, "amsgrad": {"epsilon": 0.01, "amsgrad": True}},
    "RMSprop": {
        PLAIN: {"epsilon": 0.01},
        "centered": {"epsilon": 0.01, "centered": True},
        "momentum": {"epsilon": 0.01, "momentum": 0.5, "centered": True},
    },
    "Ftrl": {
        PLAIN: {"learning_rate_power": -0.5},
        "regularized": {"l1_regularization_strength": 0.1, "l2_regularization_strength": 0.2, "beta": 0.5},
        "shrinkage": {"l2_shrinkage_regularization_strength": 0.25, "learning_rate_power": -0.75},
    },
}
HYPER: dict[str, Document] = {
    "SGD": {"momentum": 0.5},
    "Adam": {"beta_2": 0.5},
    "RMSprop": {"rho": 0.5},
    "Ftrl": {"l1_regularization_strength": 0.25},
}
LEGACY = ("tf2.4", "tf2.9.legacy", "tf2.12.legacy", "tf2.15.legacy")
EMA: Document = {"use_ema": True, "ema_momentum": 0.75}
CONFIGS: dict[str, dict[str, Document]] = {
    "learning_rate": {
        PLAIN: {"learning_rate": 0.25},
        "schedule": {"learning_rate": EXPONENTIAL},
        "function": {"learning_rate": {"callable": [round(0.05 * n, 2) for n in (6, 2, 4, 1, 3, 5, 7, 8) * 2]}},
    },
    "weight_decay": {PLAIN: {}, "decay": {"weight_decay": 0.5}, "decay-spares": {"weight_decay": 0.5}},
    "clip": {
        PLAIN: {},
        "clipnorm": {"clipnorm": 0.75},
        "clipvalue": {"clipvalue": 0.5},
        "global_clipnorm": {"global_clipnorm": 1.25},
    },
    "use_ema": {PLAIN: {}, "ema": EMA, "ema-overwrites": {**EMA, "ema_overwrite_frequency": 3}},
    "gradient_accumulation_steps": {PLAIN: {}, "accumulation": {"gradient_accumulation_steps": 2}},
    "loss_scale_factor": {PLAIN: {}, "loss-scale": {"loss_scale_factor": 3.0}},
    "decay": {PLAIN: {}, "rate-decay": {"decay": 0.5}},
}
"""Factors whose levels are arguments; an edition has those whose arguments it takes."""
OTHERS: dict[str, tuple[str, ...]] = {
    "gradients": (PLAIN, "rows"),
    "missing": (PLAIN, "null-first", "null-later"),
    "overwritten": (PLAIN, "set-rate", "set-hyper"),
    "finalize": (PLAIN, "finalize-between", "finalize"),
    "constraint": (PLAIN, "non-negative", "max-norm"),
    "dtype": ("float32", "float64", "float16"),
}
CONSTRAINTS: dict[str, Document | None] = {
    PLAIN: None,
    "non-negative": {"class_name": "NonNeg", "config": {}},
    "max-norm": {"class_name": "MaxNorm", "config": {"max_value": 0.75}},
}
OTHER_DTYPES = ("float64", "float16")
IMPOSSIBLE: list[tuple[set[str], tuple[str, ...]]] = [
    ({"rows", "loss-scale"}, ("keras3",)),
    *(({"rows", name}, LEGACY) for name in ("non-negative", "max-norm")),
    *(({"non-negative", dtype}, (*LEGACY, "tf2.9", "tf2.12", "tf2.15")) for dtype in OTHER_DTYPES),
    ({"null-first"}, ("tf2.9",)),
]
"""Levels that have no step in common, and where: each is an error from the first step on, and has cases of its own."""


def pair_cases(edition: str) -> Iterator[Document]:
    """All cases of an edition."""
    from .cases import finished

    for optimizer in OPTIMIZERS:
        for levels in covering(edition, optimizer):
            yield finished(f"{edition}/pairs/{name_of(optimizer, levels)}", edition, case(optimizer, levels))


def factors(edition: str, optimizer: str) -> dict[str, list[str]]:
    """The levels of every factor that this optimizer of an edition has, the plain one first."""
    takes = {*spec.taken(optimizer, edition), "clip"}
    configs = {name: list(levels) for name, levels in CONFIGS.items() if name in takes}
    others = {name: list(levels) for name, levels in OTHERS.items() if name != "finalize" or "use_ema" in takes}
    return {"variant": list(VARIANTS[optimizer]), **configs, **others}


def possible(edition: str, levels: Sequence[str]) -> bool:
    """Can these levels, or the first few of a case, stand together?"""
    return not any(edition in editions and together <= set(levels) for together, editions in IMPOSSIBLE)


Level = tuple[str, str]


def covering(edition: str, optimizer: str) -> Iterator[dict[str, str]]:
    """A level of each factor, so often that every possible pair is there.

    Greedy: a row begins with a pair that is missing, and takes of every other factor the level with which it holds
    most of the missing ones. allpairspy leaves out pairs where it is told that some are impossible.
    """
    levels = {name: [(name, level) for level in found] for name, found in factors(edition, optimizer).items()}
    missing: dict[frozenset[Level], None] = dict.fromkeys(
        frozenset(pair)
        for one, other in itertools.combinations(levels.values(), 2)
        for pair in itertools.product(one, other)
        if possible(edition, [level for _, level in pair])
    )
    while missing:
        row = dict(next(iter(missing)))
        for name in sorted(levels, key=lambda name: (-len(levels[name]), name)):
            if name not in row:
                fitting = [x for x in levels[name] if possible(edition, [*row.values(), x[1]])]
                row.update([max(fitting, key=lambda x: sum(frozenset((x, y)) in missing for y in row.items()))])
        for pair in itertools.combinations(row.items(), 2):
            missing.pop(frozenset(pair), None)
        yield {name: row[name] for name in levels}


def name_of(optimizer: str, levels: dict[str, str]) -> str:
    """The last part of an id."""
    named = [level for name, level in levels.items() if level != PLAIN and name != "dtype"]
    return f"{optimizer.lower()}-{'+'.join(named) or PLAIN}-{levels['dtype']}"


def case(optimizer: str, levels: dict[str, str]) -> Document:
    """The case of some levels, with values and gradients from a generator that the levels seed."""
    stream = random.Random(f"pairs {optimizer} {sorted(levels.items())}")
    dtype = levels["dtype"]
    config = dict(VARIANTS[optimizer][levels["variant"]])
    for name, choices in CONFIGS.items():
        config.update(choices[levels.get(name, PLAIN)])
    constraint = CONSTRAINTS[levels["constraint"]]
    variables: list[Document] = [
        {"name": name, "value": {"dtype": dtype, "shape": list(shape), "values": normal(stream, shape, dtype)}}
        for name, shape in SHAPES.items()
    ]
    for variable in variables if constraint else ():
        variable["constraint"] = constraint
    return {
        "features": features(levels, config),
        "flags": flags(levels),
        "optimizer": {"class_name": optimizer, "config": config},
        "variables": variables,
        "events": events(stream, optimizer, levels),
    }


def features(levels: dict[str, str], config: Document) -> list[str]:
    """What the case is about; the kind of learning rate is no affair of features_of, which can't tell a schedule."""
    asked = {
        "sparse": levels["gradients"] == "rows",
        "none": levels["missing"] != PLAIN,
        "constraints": levels["constraint"] != PLAIN,
        "ema": levels.get("finalize", PLAIN) != PLAIN,
        "schedules": levels["learning_rate"] == "schedule",
        "learning_rate": levels["learning_rate"] != PLAIN or levels["overwritten"] != PLAIN,
    }
    return list(dict.fromkeys(["dense", *(name for name, there in asked.items() if there), *features_of(config)]))


def flags(levels: dict[str, str]) -> list[str]:
    """What the case has in it that catches faults."""
    asked = {
        "duplicate-indices": levels["gradients"] == "rows",
        "missing-gradient": levels["missing"] != PLAIN,
        "constraint": levels["constraint"] != PLAIN,
        "finalized": levels.get("finalize", PLAIN) != PLAIN,
        "overwritten": levels["overwritten"] != PLAIN,
        "spared-decay": levels.get("weight_decay") == "decay-spares",
    }
    return ["combination", *(name for name, there in asked.items() if there)]


def events(stream: random.Random, optimizer: str, levels: dict[str, str]) -> list[Document]:
    """Four steps and what comes between them. All are attempts: some pairs are errors, and the run goes on."""
    steps = [apply(stream, step, levels) for step in range(STEPS)]
    before: dict[int, list[Document]] = {step: [] for step in range(STEPS + 1)}
    if levels.get("weight_decay") == "decay-spares":
        before[0].append({"exclude": {"names": ["ia"]}})
    overwritten: dict[str, Document] = {
        "set-rate": {"set": {"learning_rate": 0.125}},
        "set-hyper": {"set": HYPER[optimizer]},
    }
    if levels["overwritten"] in overwritten:
        before[2].append(overwritten[levels["overwritten"]])
    finalize = {"finalize-between": 2, "finalize": STEPS}.get(levels.get("finalize", PLAIN))
    if finalize:
        before[finalize].append({"finalize": True})
    played = [event for step in range(STEPS) for event in (*before[step], steps[step])]
    return [{"attempt": event} for event in (*played, *before[STEPS])]


def apply(stream: random.Random, step: int, levels: dict[str, str]) -> Document:
    """One step: the kernel dense or in rows, the bias sometimes without a gradient."""
    dtype = levels["dtype"]
    kernel: Any = normal(stream, SHAPES["kernel"], dtype)
    if levels["gradients"] == "rows":
        shape = (len(ROWS[step]), *SHAPES["kernel"][1:])
        tensor = {"dtype": dtype, "shape": list(shape), "values": normal(stream, shape, dtype)}
        kernel = {"indices": ROWS[step], "values": tensor}
    bias = normal(stream, SHAPES["bias"], dtype)
    null = {"null-first": [0], "null-later": [2]}.get(levels["missing"], [])
    return {"apply": [kernel, None if step in null else bias]}
