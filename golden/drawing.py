"""What the makers of cases share: numbers from a seeded generator, and readable pieces of ids."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from typing import Any

import numpy as np

from goldenstep import spec

from .codec import flat

Document = dict[str, Any]
Shape = tuple[int, ...]


def normal(stream: random.Random, shape: Shape, dtype: str) -> list[Any]:
    """Normally distributed numbers of three digits, none zero, as the dtype holds them."""
    numbers = [stream.choice([0.3, 1.0, 3.0]) * (stream.gauss(0, 1) or 0.1) for _ in range(math.prod(shape))]
    return typed([float(f"{x:.3g}") for x in numbers], dtype)


def typed(numbers: list[float], dtype: str) -> list[Any]:
    """The numbers as JSON writes them once they are of `dtype`."""
    with np.errstate(over="ignore", under="ignore"):
        return flat(np.array(numbers, np.float64).astype(dtype))


def slug(config: Document) -> str:
    """A readable piece of an id: `amsgrad+beta_1=0.5`."""

    def piece(name: str, value: Any) -> str:
        return (
            name
            if value is True
            else f"{name}={'none' if value is None else str(value).lower().replace(' ', '').replace('/', '-')}"
        )

    return "+".join(piece(name, value) for name, value in config.items())


def variant_configs(optimizer: str, edition: str) -> Iterator[Document]:
    """For every variant that a config alone can ask for: the config that asks for it with the first fitting samples."""
    own = spec.hyperparameters(optimizer, edition)
    for variant in spec.optimizers()[optimizer]["variants"]:
        if variant["when"] and set(variant["when"]) <= set(own):
            config = {
                name: next(s for s in own[name]["samples"] if s != condition["not"])
                if isinstance(condition, dict)
                else condition
                for name, condition in variant["when"].items()
            }
            if spec.variant(optimizer, {**{n: e["default"] for n, e in own.items()}, **config}) == variant["name"]:
                changed = {name: value for name, value in config.items() if value != own[name]["default"]}
                if changed:
                    yield changed


def features_of(config: Document) -> list[str]:
    """What of the pipeline a config asks for."""
    given = [FEATURES[name] for name, value in config.items() if name in FEATURES and value is not None]
    varies = any(isinstance(value, dict) and "multiply" not in value for value in config.values())
    return list(dict.fromkeys(given + ["learning_rate"] * varies))


FEATURES = {
    "weight_decay": "weight_decay",
    "use_ema": "ema",
    "clipnorm": "clipping",
    "clipvalue": "clipping",
    "global_clipnorm": "clipping",
    "gradient_accumulation_steps": "accumulation",
    "loss_scale_factor": "loss_scale",
    "decay": "learning_rate",
    "lr": "learning_rate",
}


def dtypes_of(edition: str, optimizer: str) -> list[str]:
    """The dtypes of variables that this optimizer takes in this edition, float32 first."""
    basic = ["float32", "float64", "float16"]
    return list(spec.optimizers()[optimizer]["editions"][edition].get("dtypes", basic))


def from_zero(case: Document) -> Document:
    """The case with weights of 0, so that a step shows all its bits."""
    zero = [{**v, "value": {**v["value"], "values": [0.0] * len(v["value"]["values"])}} for v in case["variables"]]
    return {**case, "variables": zero, "flags": [*case["flags"], "starts-at-zero"]}


def at_rest(case: Document) -> Document:
    """The case with a first gradient of 0, so that its first update is 0."""
    return faint(case, 0.0)


def faint(case: Document, factor: float) -> Document:
    """The case with a first gradient that is smaller by a factor of a power of 2, or 0."""
    for gradient in case["events"][0]["apply"]:
        if isinstance(gradient, list):
            gradient[:] = [x * factor for x in gradient]
        else:
            tensor = gradient["values"] if "indices" in gradient else gradient
            tensor["values"] = [x * factor for x in tensor["values"]]
    return case


def shrunk(case: Document, factor: float) -> Document:
    """The case with weights that are smaller by a factor of a power of 2, or 0."""
    for variable in case["variables"]:
        variable["value"]["values"] = [x * factor for x in variable["value"]["values"]]
    return case
