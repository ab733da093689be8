"""Cases inside `tf.function`: the defaults, the options that ask for another rule, and some of the pipeline.

The former two once more from weights of 0, and with whole packets of 8 numbers, for which estimates of roots are taken.

Grappler rewrites a graph before it runs, so that some rules round otherwise; and what Python counts is counted when
the graph is made, not when it runs.
"""

from __future__ import annotations

from collections.abc import Iterator

from goldenstep import spec

from .drawing import Document, Shape, faint, slug
from .lifecycle_cases import EMA, Case, Maker

SHAPES: dict[str, Shape] = {"kernel": (2, 5), "bias": (3,)}
PACKETS: dict[str, Shape] = {"kernel": (3, 8), "bias": (11,)}
STEPS = 4
VARIANTS: dict[str, list[Document]] = {
    "SGD": [{"momentum": 0.0}],
    "RMSprop": [{"momentum": 0.0}, {"momentum": 0.0, "centered": True}],
    "Ftrl": [
        {"learning_rate_power": -0.75},
        {"learning_rate_power": -0.75, "l2_shrinkage_regularization_strength": 0.01},
        {
            "learning_rate_power": -0.75,
            "l1_regularization_strength": 0.1,
            "l2_regularization_strength": 0.2,
            "beta": 0.5,
        },
    ],
    "Muon": [{"rms_rate": None}],
    "Adafactor": [{"learning_rate": 1.0, "clip_threshold": 0.5}],
}
"""What asks for rules, or shows numbers of a rule, as no option alone does."""
FAINT = {"Lamb": ("zero", 0.0), "Adafactor": ("small", 2.0**-50), "Muon": ("small", 2.0**-24)}
"""Optimizers that divide by a norm or mean of the gradient or update, to which a tiny number is added."""
SIDES: dict[str, Shape] = {"kernel": (5, 2), "square": (3, 3)}
PIPELINE: list[Document] = [{"clipnorm": 0.5}, {"global_clipnorm": 0.5}, {"weight_decay": 0.5}, EMA, {"decay": 0.5}]


def graph_cases(edition: str, optimizer: str) -> Iterator[Case]:
    """Pairs of a slug and a case without id, edition and clauses."""
    make = Maker(edition, optimizer)
    configs: list[Document] = [{}, *options(edition, optimizer)]
    if optimizer == "SGD":
        configs += [config for config in PIPELINE if set(config) <= make.takes]
    for config in configs:
        case = make.case(config, lambda s: s.many(STEPS), shapes=SHAPES)
        yield f"graph-{slug(config) or 'defaults'}", {**case, "features": ["graph"], "mode": "graph"}
    for config in [{}, *options(edition, optimizer)]:
        case = make.case(config, lambda s: s.many(STEPS), shapes=PACKETS)
        for variable in case["variables"]:  # beside a weight of 0 every bit of the update is seen
            variable["value"]["values"] = [0.0] * len(variable["value"]["values"])
        marks = {"features": ["graph"], "flags": ["starts-at-zero"], "mode": "graph"}
        yield f"graph-{slug(config) or 'defaults'}+starts-at-zero", {**case, **marks}
    if optimizer in FAINT:
        name, factor = FAINT[optimizer]
        case = faint(make.case({}, lambda s: s.many(STEPS), shapes=SHAPES), factor)
        yield f"graph-first-gradient-{name}", {**case, "features": ["graph"], "mode": "graph"}
    if optimizer == "Muon":
        case = make.case({}, lambda s: s.many(STEPS), shapes=SIDES)
        yield "graph-tall-and-square", {**case, "features": ["graph"], "mode": "graph"}


def options(edition: str, optimizer: str) -> Iterator[Document]:
    """Each switch turned, and each number that is 0 or None by default set to its first sample."""
    for name, entry in spec.hyperparameters(optimizer, edition).items():
        if entry["type"] == "bool":
            yield {name: not entry["default"]}
        elif not entry["default"] and entry["samples"] and entry["type"] in ("float", "int"):
            yield {name: entry["samples"][0]}
    yield from VARIANTS.get(optimizer, [])
