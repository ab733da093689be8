"""The recorded cases of resuming: three steps, another optimizer in the place of the first, two steps.

For every optimizer of an edition each way in which the edition hands over a state, with the defaults and with each
option that adds to the state; SGD, Adam and Nadam also with schedules, rates that were set, and several variables.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from goldenstep import spec
from goldenstep.spec import serialization

from .drawing import Document, Shape, features_of, normal, slug
from .optimizer_schedule_cases import EXPONENTIAL
from .serialization_cases import legacy

ONE: dict[str, Shape] = {"kernel": (2, 3)}
TWO: dict[str, Shape] = {"kernel": (2, 2), "bias": (3,)}
THOROUGH = ("SGD", "Adam", "Nadam")
PIPELINE: list[Document] = [
    {"use_ema": True, "ema_momentum": 0.75, "ema_overwrite_frequency": 2},
    {"weight_decay": 0.1, "clipnorm": 0.5},
    {"gradient_accumulation_steps": 2},
    {"decay": 0.5},
]
BEFORE, AFTER = 3, 2


def resume_cases(edition: str) -> Iterator[Document]:
    """All cases of an edition."""
    for optimizer in spec.available(edition):
        for name, way, case in cases_of(edition, optimizer):
            identity = f"{edition}/resume/{optimizer.lower()}-{way}{name}"
            yield {
                "id": identity,
                "edition": edition,
                "clauses": clauses_of(edition, optimizer, way),
                "features": ["resume", *(f for f in features_of(case["optimizer"]["config"]) if f != "learning_rate")],
                "flags": [],
                **case,
                "keep": list(range(BEFORE, BEFORE + AFTER + 2)),
            }


def clauses_of(edition: str, optimizer: str, way: str) -> list[str]:
    """The clauses that a way is about."""
    known = {clause["id"] for clause in serialization.clauses("resume", edition)}
    about = {"weights": ["RESUME-1"], "store": ["RESUME-2"], "variables": ["RESUME-3"], "config": ["RESUME-5"]}[way]
    if optimizer == "Nadam" and way != "config" and "RESUME-4" in known:
        about = ["RESUME-4"]
    return [clause for clause in about if clause in known]


def cases_of(edition: str, optimizer: str) -> Iterator[tuple[str, str, Document]]:
    """The cases of one optimizer: name, way, and the rest."""
    keys = set(spec.taken(optimizer, edition))
    for way in serialization.ways_of_resuming(edition):
        yield "", way, case(optimizer, {}, way, TWO)
        for config in with_more_state(optimizer, edition) if way != "config" else ():
            yield f"-{slug(config)}", way, case(optimizer, config, way, ONE)
        if optimizer not in THOROUGH:
            continue
        for config in PIPELINE:
            if set(config) <= keys:
                yield f"-{slug(config)}", way, case(optimizer, config, way, ONE)
        if not (optimizer == "Nadam" and legacy(edition)):
            yield "-schedule", way, case(optimizer, {"learning_rate": EXPONENTIAL}, way, ONE)
        for config in ({}, *(c for c in PIPELINE[:1] if set(c) <= keys)):
            name = "-" + "-".join(filter(None, [slug(config), "before-the-first-step"]))
            yield name, way, before_a_step(case(optimizer, config, way, ONE))
        yield "-learning_rate-set", way, case(optimizer, {}, way, ONE, {"set": {"learning_rate": 0.3}})


def before_a_step(case: Document) -> Document:
    """The case with the state handed over before the first step."""
    *steps, resume = sorted(case["events"], key=lambda event: "resume" in event)
    return {**case, "events": [resume, *steps]}


def with_more_state(optimizer: str, edition: str) -> Iterator[Document]:
    """For every group of slots that only some configs have: the first samples that ask for it."""
    own = spec.hyperparameters(optimizer, edition)
    for item in spec.state(optimizer, edition):
        for group in item if isinstance(item, list) else [item]:
            when = {} if isinstance(group, str) else group.get("when", {})
            if when and set(when) <= set(own):
                yield {name: first(own[name], condition) for name, condition in when.items()}


def first(entry: Document, condition: object) -> object:
    """The first sample of an argument that meets a condition."""
    samples = entry["samples"]
    return next(s for s in samples if spec.holds({entry["name"]: condition}, {entry["name"]: s}))


def case(
    optimizer: str, config: Document, way: str, shapes: dict[str, Shape], at_first: Document | None = None
) -> Document:
    """Numbers are the same for every way, so that the runs can be compared."""
    stream = random.Random(f"resume {optimizer} {sorted(map(str, config.items()))} {shapes}")
    values = [normal(stream, shape, "float32") for shape in shapes.values()]
    variables = [
        {"name": name, "value": {"dtype": "float32", "shape": list(shape), "values": numbers}}
        for (name, shape), numbers in zip(shapes.items(), values, strict=True)
    ]
    steps = [{"apply": [normal(stream, shape, "float32") for shape in shapes.values()]} for _ in range(BEFORE + AFTER)]
    if at_first:
        steps = [steps[0], at_first, *steps[2:]]
    return {
        "optimizer": {"class_name": optimizer, "config": config},
        "variables": variables,
        "events": [*steps[:BEFORE], {"resume": way}, *steps[BEFORE:]],
    }
