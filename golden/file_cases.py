"""The recorded cases of files that carry an optimizer, drawn from the specification like those of the optimizers.

Every optimizer of an edition is saved in every format, as it is by default; the configs that change its state (those
that ask for another variant, averages, accumulation, a schedule), in the formats that hold state. Where a file has no
config, it is also restored to an optimizer that was made with other arguments.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from goldenstep import spec
from goldenstep.spec import saved_files
from goldenstep.spec import wrapper as wrappers

from .drawing import Document, normal, slug, variant_configs

STEPS, SAVED_AFTER = 5, 3
SHAPES = {"dense/kernel": (3, 2), "dense/bias": (2,)}
SCHEDULE = {
    "class_name": "ExponentialDecay",
    "config": {"initial_learning_rate": 0.125, "decay_steps": 2, "decay_rate": 0.5},
}
PARTS: dict[str, tuple[int, ...]] = {"kernel": (1, 1), "bias": (1,)}
MANY = {f"dense_{layer}/{part}": shape for layer in range(6) for part, shape in PARTS.items()}
"""So many that their numbers have two digits, which come before one digit where text is sorted."""
OTHERS: dict[str, Document] = {
    "use_ema": {"use_ema": True, "ema_momentum": 0.75},
    "gradient_accumulation_steps=2": {"gradient_accumulation_steps": 2},
    "schedule": {"learning_rate": SCHEDULE},
}
SCALING: Document = {"initial_scale": 8.0, "dynamic_growth_steps": 2}
WRAPPED: list[Document] = [
    {"class_name": "SGD", "config": {"learning_rate": 0.125, "momentum": 0.75}},
    {"class_name": "Adam", "config": {"learning_rate": 0.125}},
]
SCALES_V1: dict[str, Document] = {
    "dynamic": {"class_name": "DynamicLossScale", "config": {"initial_loss_scale": 8.0, "increment_period": 2}},
    "fixed": {"class_name": "FixedLossScale", "config": {"loss_scale_value": 8.0}},
}
ELSEWHERE: dict[str, tuple[Document, Document]] = {
    "schedule-into-rate": ({"learning_rate": SCHEDULE}, {"learning_rate": 0.25}),
    "rate-into-schedule": ({"learning_rate": 0.25}, {"learning_rate": SCHEDULE}),
    "decay-into-another": ({"learning_rate": 0.25, "decay": 0.5}, {"learning_rate": 0.25, "decay": 0.125}),
    "decay-into-none": ({"learning_rate": 0.25, "decay": 0.5}, {"learning_rate": 0.25}),
    "none-into-decay": ({"learning_rate": 0.25}, {"learning_rate": 0.25, "decay": 0.5}),
    "clipnorm-into-clipvalue": ({"clipnorm": 0.5}, {"clipvalue": 0.25}),
    "use_ema-into-another": (OTHERS["use_ema"], {"use_ema": True, "ema_momentum": 0.5, "ema_overwrite_frequency": 5}),
    "weight_decay-into-another": ({"weight_decay": 0.5}, {"weight_decay": 0.25}),
    "gradient_accumulation_steps=2-into-3": (
        OTHERS["gradient_accumulation_steps=2"],
        {"gradient_accumulation_steps": 3},
    ),
}
"""Arguments of an Adam that is saved, and those of the one that it is restored to."""
RATE_IS_STATE = ("tf2.9", "keras3")
"""Editions where a schedule changes what the state is: there another kind of rate is another optimizer."""
AVERAGED: Document = {"class_name": "RMSprop", "config": {"learning_rate": SCHEDULE, **OTHERS["use_ema"]}}
CHOOSERS: dict[str, Document] = {
    "map": {
        "class_name": "OptimizerMap",
        "config": {"default_optimizer": WRAPPED[0], "optimizer_map": {".*kernel": WRAPPED[1]}},
    },
    "one-of-three": {
        "class_name": "OptimizerMap",
        "config": {
            "default_optimizer": AVERAGED,
            "optimizer_map": {
                ".*embeddings": WRAPPED[1],
                ".*/bias": {"class_name": "Adam", "config": {"amsgrad": True}},
            },
        },
    },
    "function": {
        "function": {"kernel": "first", "bias": "second", "model/dense/kernel": "first", "model/dense/bias": "second"},
        "optimizers": {"first": WRAPPED[1], "second": WRAPPED[0]},
    },
}


def file_cases(edition: str) -> Iterator[Document]:
    """All cases of an edition, optimizer by optimizer; the ids are unique."""
    for optimizer in spec.available(edition):
        for name, config in configs(edition, optimizer):
            for format, entry in saved_files.available(edition, optimizer).items():
                if name == "defaults" or (entry["holds"] == "state" and format in ("h5", "checkpoint")):
                    yield case(edition, optimizer, name, config, format)
                if name == "defaults" and optimizer in ("SGD", "Adam") and entry["holds"] == "state":
                    yield case(edition, optimizer, "many", {"learning_rate": 0.125}, format, MANY)
                if "max_shard_sizes" in entry and optimizer == "Adam" and name == "defaults":
                    for size in entry["max_shard_sizes"]:
                        shards = case(edition, optimizer, f"shards-of-{size}-bytes", config, format)
                        yield {**shards, "max_shard_size": size}

        for format in saved_files.available(edition, optimizer):
            if not saved_files.has_config(format):
                for name, config, into in elsewhere(edition, optimizer):
                    yield case(edition, optimizer, name, config, format, into=into)

    for wrapper, name, config in wrapped(edition):
        for format in saved_files.available(edition, wrapper):
            code = "function" in config.get("optimizer_map", {}) and saved_files.has_config(format)
            if not code and (name != "nadam" or format != "h5"):  # there, nobody can say how it would go on
                yield case(edition, wrapper, name, config, format)


def wrapped(edition: str) -> Iterator[tuple[str, str, Document]]:
    """Wrappers of an edition, their configs with names; when one is saved, a scale that moves has, and counts."""
    known = wrappers.available(edition)
    if "LossScaleOptimizer" in known:
        for inner in WRAPPED:
            yield "LossScaleOptimizer", inner["class_name"].lower(), {"inner_optimizer": inner, **SCALING}
            counting = {"inner_optimizer": inner, "initial_scale": 8.0, "dynamic_growth_steps": SAVED_AFTER + 1}
            yield "LossScaleOptimizer", f"counting-{inner['class_name'].lower()}", counting
            if edition != "keras3":
                config = {"inner_optimizer": inner, "dynamic": False, "initial_scale": 8.0}
                yield "LossScaleOptimizer", f"fixed-{inner['class_name'].lower()}", config
    if "LossScaleOptimizerV1" in known:
        for inner in WRAPPED:
            for name, scale in SCALES_V1.items():
                config = {"optimizer": inner, "loss_scale": scale}
                yield "LossScaleOptimizerV1", f"{name}-{inner['class_name'].lower()}", config
    if "MultiOptimizer" in known:
        for name, chooser in CHOOSERS.items():
            yield "MultiOptimizer", name, {"optimizer_map": chooser}
        inside = {"class_name": "MultiOptimizer", "config": {"optimizer_map": CHOOSERS["map"]}}
        yield "LossScaleOptimizer", "multioptimizer", {"inner_optimizer": inside, **SCALING}
        product: Document = {"class_name": "Nadam", "config": {"learning_rate": 0.125}}
        yield "LossScaleOptimizer", "nadam", {"inner_optimizer": product, **SCALING}
        twice = {"class_name": "LossScaleOptimizer", "config": {"inner_optimizer": WRAPPED[1], **SCALING}}
        yield "LossScaleOptimizer", "lossscaleoptimizer", {"inner_optimizer": twice, "initial_scale": 2.0}


def configs(edition: str, optimizer: str) -> Iterator[tuple[str, Document]]:
    """The defaults, and what changes the state."""
    yield "defaults", {}
    for config in variant_configs(optimizer, edition):
        yield slug(config), config
    given = {argument["name"] for argument in spec.arguments(optimizer, edition)}
    for name, config in OTHERS.items():
        if optimizer == "Adam" and set(config) <= given:
            yield name, config


def elsewhere(edition: str, optimizer: str) -> Iterator[tuple[str, Document, Document]]:
    """Names and arguments of optimizers that are saved, and the arguments of those that the files are restored to."""
    taken = set(spec.taken(optimizer, edition))
    for config in [{}, {"momentum": 0.9}] if optimizer in ("SGD", "RMSprop") else [{}]:
        name = "-".join([*([slug(config)] if config else []), "into-another"])
        yield name, config, {**config, **others(edition, optimizer, config)}
    for name, (config, into) in ELSEWHERE.items() if optimizer == "Adam" else ():
        scheduled, then = (isinstance(given.get("learning_rate"), dict) for given in (config, into))
        other_state = scheduled != then and edition in RATE_IS_STATE
        if {*config, *into} <= taken and not other_state:
            yield name, config, into


def others(edition: str, optimizer: str, config: Document) -> Document:
    """Another value of every number of its own that an optimizer can be given without a change of what its state is."""
    found: Document = {}
    for name, entry in spec.hyperparameters(optimizer, edition).items():
        now = config.get(name, entry["default"])
        if entry["type"] == "float" and (now or name != "momentum"):
            found[name] = next(sample for sample in entry["samples"] if sample not in (None, 0.0, now))
    return found


def case(
    edition: str,
    optimizer: str,
    name: str,
    config: Document,
    format: str,
    shapes: dict[str, tuple[int, ...]] = SHAPES,
    into: Document | None = None,
) -> Document:
    """One optimizer with one config, saved in one format, and restored to one made with that, or with `into`."""
    stream = random.Random(f"{optimizer} {name}")
    trained = {"class_name": optimizer, "config": config}
    names = {key: ("model/" if edition == "keras3" else "") + key for key in shapes}
    variables: list[Any] = [
        {
            "name": names[key],
            "value": {"dtype": "float32", "shape": list(shape), "values": normal(stream, shape, "float32")},
        }
        for key, shape in shapes.items()
    ]
    return {
        "id": f"{edition}/files/{optimizer.lower()}/{name}-{format}",
        "edition": edition,
        "clauses": saved_files.clauses(format, edition, trained, into is not None),
        "features": ["files"],
        "flags": [],
        "file": format,
        "trained": trained,
        **({} if into is None else {"into": into}),
        "variables": variables,
        "gradients": [[normal(stream, shape, "float32") for shape in shapes.values()] for _ in range(STEPS)],
        "saved_after": SAVED_AFTER,
    }
