"""The recorded cases of files that carry an optimizer, drawn from the specification like those of the optimizers.

Every optimizer of an edition is saved in every format, as it is by default; the configs that change its state (those
that ask for another variant, averages, accumulation, a schedule), in the formats that hold state.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from goldenstep import spec
from goldenstep.spec import saved_files

from .cases import variant_configs
from .drawing import Document, normal, slug

STEPS, SAVED_AFTER = 5, 3
SHAPES = {"kernel": (3, 2), "bias": (2,)}
SCHEDULE = {
    "class_name": "ExponentialDecay",
    "config": {"initial_learning_rate": 0.125, "decay_steps": 2, "decay_rate": 0.5},
}
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


def file_cases(edition: str) -> Iterator[Document]:
    """All cases of an edition, optimizer by optimizer; the ids are unique."""
    for optimizer in spec.available(edition):
        for name, config in configs(edition, optimizer):
            for format, entry in saved_files.available(edition, optimizer).items():
                if name == "defaults" or (entry["holds"] == "state" and format in ("h5", "checkpoint")):
                    yield case(edition, optimizer, name, config, format)
                if "max_shard_sizes" in entry and optimizer == "Adam" and name == "defaults":
                    for size in entry["max_shard_sizes"]:
                        shards = case(edition, optimizer, f"shards-of-{size}-bytes", config, format)
                        yield {**shards, "max_shard_size": size}

    for inner in WRAPPED:
        for format in saved_files.available(edition, inner["class_name"]):
            yield wrapped(edition, inner, format)


def wrapped(edition: str, inner: Document, format: str) -> Document:
    """LossScaleOptimizer around one optimizer: when it is saved, its scale has moved, and its counter is not 0."""
    config = {"inner_optimizer": inner, **SCALING}
    return case(edition, "LossScaleOptimizer", inner["class_name"].lower(), config, format)


def configs(edition: str, optimizer: str) -> Iterator[tuple[str, Document]]:
    """The defaults, and what changes the state."""
    yield "defaults", {}
    for config in variant_configs(optimizer, edition):
        yield slug(config), config
    given = {argument["name"] for argument in spec.arguments(optimizer, edition)}
    for name, config in OTHERS.items():
        if optimizer == "Adam" and set(config) <= given:
            yield name, config


def case(edition: str, optimizer: str, name: str, config: Document, format: str) -> Document:
    """One optimizer with one config, saved in one format."""
    stream = random.Random(f"{optimizer} {name}")
    names = {key: ("model/dense/" if edition == "keras3" else "dense/") + key for key in SHAPES}
    variables: list[Any] = [
        {
            "name": names[key],
            "value": {"dtype": "float32", "shape": list(shape), "values": normal(stream, shape, "float32")},
        }
        for key, shape in SHAPES.items()
    ]
    return {
        "id": f"{edition}/files/{optimizer.lower()}/{name}-{format}",
        "edition": edition,
        "clauses": saved_files.clauses(format, edition),
        "features": ["files"],
        "flags": [],
        "file": format,
        "trained": {"class_name": optimizer, "config": config},
        "variables": variables,
        "gradients": [[normal(stream, shape, "float32") for shape in SHAPES.values()] for _ in range(STEPS)],
        "saved_after": SAVED_AFTER,
    }
