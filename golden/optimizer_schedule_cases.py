"""Cases of optimizers whose learning rate is a schedule: eight steps, over every bend of it.

Every optimizer gets one; SGD, Adam, RMSprop and Nadam get several; SGD and Adam also variables and rates of other
dtypes, schedules that come and go between steps, iterations that jump, and the options of the pipeline.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from goldenstep import spec

from .drawing import Document, Shape, features_of, normal

Case = tuple[str, Document]
STEPS = 8


def schedule(class_name: str, **config: Any) -> Document:
    """A schedule as an argument of an optimizer."""
    return {"class_name": class_name, "config": config}


EXPONENTIAL = schedule("ExponentialDecay", initial_learning_rate=0.1, decay_steps=3, decay_rate=0.5)
STAIRCASE = schedule("ExponentialDecay", initial_learning_rate=0.1, decay_steps=3, decay_rate=0.5, staircase=True)
PIECEWISE = schedule("PiecewiseConstantDecay", boundaries=[1, 4], values=[0.1, 0.03, 0.007])
COSINE = schedule("CosineDecay", initial_learning_rate=0.1, decay_steps=5, alpha=0.1)
WARMUP = schedule(
    "CosineDecay", initial_learning_rate=0.0, decay_steps=4, warmup_target=0.1, warmup_steps=3, name="CosineDecay"
)
INTEGER = schedule("InverseTimeDecay", initial_learning_rate=1, decay_steps=2, decay_rate=0.5)
FLOAT64 = schedule(
    "PolynomialDecay", initial_learning_rate={"dtype": "float64", "value": 0.1}, decay_steps=6, end_learning_rate=0.01
)
FLOAT16 = {**FLOAT64, "config": {**FLOAT64["config"], "initial_learning_rate": {"dtype": "float16", "value": 0.1}}}
SOME: dict[str, Document] = {"exponential": EXPONENTIAL, "piecewise": PIECEWISE, "cosine": COSINE}
SEVERAL = ("SGD", "Adam", "RMSprop", "Nadam")
THOROUGH = ("SGD", "Adam")
PIPELINE: dict[str, Document] = {
    "weight_decay": {"weight_decay": 0.1},
    "clipnorm": {"clipnorm": 0.5},
    "ema": {"use_ema": True, "ema_momentum": 0.75, "ema_overwrite_frequency": 3},
    "accumulation": {"gradient_accumulation_steps": 2},
    "accumulation+weight_decay": {"gradient_accumulation_steps": 3, "weight_decay": 0.1},
    "loss_scale": {"loss_scale_factor": 2.0},
    "decay": {"decay": 0.5},
}


def optimizer_schedule_cases(edition: str, optimizer: str) -> Iterator[Case]:
    """Pairs of a slug and a case without id, edition and clauses."""
    if optimizer == "Nadam" and _legacy(edition):
        yield "schedule-refused", case(optimizer, {"learning_rate": EXPONENTIAL}, [], ["errors"])
        late = [{"set": {"learning_rate": EXPONENTIAL}}, {"attempt": gradient(optimizer, "late")}]
        yield "schedule-comes-late-refused", case(optimizer, {"learning_rate": 0.1}, late)
        return
    for name, given in SOME.items() if optimizer in SEVERAL else [("exponential", EXPONENTIAL)]:
        yield f"schedule-{name}", case(optimizer, {"learning_rate": given})
    if optimizer == "Muon":
        half = case(optimizer, {"learning_rate": EXPONENTIAL}, None, ["errors"], "float16")
        yield "schedule-exponential-float16", half
        yield "schedule-of-float64", case(optimizer, {"learning_rate": FLOAT64}, features=["errors"])
    if optimizer in THOROUGH:
        yield from thorough(edition, optimizer)


def thorough(edition: str, optimizer: str) -> Iterator[Case]:
    """Other dtypes, the pipeline, what comes between steps, and what fails."""
    yield "schedule-staircase", case(optimizer, {"learning_rate": STAIRCASE})
    if edition in ("tf2.15", "tf2.15.legacy", "keras3"):
        yield "schedule-warmup", case(optimizer, {"learning_rate": WARMUP})
    for dtype in ("float64", "float16"):
        yield f"schedule-exponential-{dtype}", case(optimizer, {"learning_rate": EXPONENTIAL}, dtype=dtype)
    for name, given in {"float64": FLOAT64, "float16": FLOAT16, "integer": INTEGER}.items():
        features = ["errors"] if edition in REFUSED[name] else []
        yield f"schedule-of-{name}", case(optimizer, {"learning_rate": given}, features=features)
        yield f"schedule-of-{name}-float64", case(optimizer, {"learning_rate": given}, None, features, "float64")
    takes = set(spec.taken(optimizer, edition))
    for name, config in PIPELINE.items():
        if set(config) <= takes:
            yield f"schedule+{name}", case(optimizer, {"learning_rate": EXPONENTIAL, **config})
    if "lr" in takes:
        yield "schedule-as-lr", case(optimizer, {"lr": EXPONENTIAL}, features=["errors"])
    for name, (first, values) in BETWEEN.items():
        steps = [gradient(optimizer, f"{name} {step}") for step in range(STEPS - len(values))]
        events = [{"attempt": steps[0]}]
        for value, *more in zip(values, steps[1::2], steps[2::2], strict=False):
            events += [{"attempt": value}, *({"attempt": event} for event in more)]
        yield f"schedule-{name}", case(optimizer, {"learning_rate": first}, events)
    early = [{"attempt": {"set": {"learning_rate": EXPONENTIAL}}}, *(gradient(optimizer, str(n)) for n in range(4))]
    yield "schedule-comes-before-the-first-step", case(optimizer, {"learning_rate": 0.5}, early)
    no_steps = schedule("ExponentialDecay", initial_learning_rate=0.1, decay_steps=0, decay_rate=0.5)
    features = ["errors"] if edition == "keras3" else []
    yield "schedule-without-steps", case(optimizer, {"learning_rate": no_steps}, features=features)


BETWEEN: dict[str, tuple[Any, list[Document]]] = {
    "overwritten-by-a-number": (EXPONENTIAL, [{"set": {"learning_rate": 0.05}}, {"set": {"learning_rate": 0.5}}]),
    "overwritten-by-another": (COSINE, [{"set": {"learning_rate": STAIRCASE}}]),
    "comes-and-goes": (0.5, [{"set": {"learning_rate": PIECEWISE}}, {"set": {"learning_rate": 0.25}}]),
    "iterations-jump": (EXPONENTIAL, [{"set_iterations": 9}, {"set_iterations": 1}]),
}
REFUSED = {"float64": ["tf2.9"], "float16": ["tf2.9"], "integer": [e for e in spec.editions() if e != "keras3"]}
SHAPES: dict[str, Shape] = {"kernel": (2, 1), "scale": ()}


def case(
    optimizer: str,
    config: Document,
    events: list[Document] | None = None,
    features: list[str] | None = None,
    dtype: str = "float32",
) -> Document:
    """A case with first values and gradients from a generator that the case itself seeds."""
    stream = random.Random(f"{optimizer} {sorted(config.items())} {dtype}")
    variables = [
        {"name": name, "value": {"dtype": dtype, "shape": list(shape), "values": normal(stream, shape, dtype)}}
        for name, shape in SHAPES.items()
    ]
    steps = [gradient(optimizer, f"{config} {step}", dtype) for step in range(STEPS)]
    others = [feature for feature in features_of(config) if feature != "learning_rate"]
    return {
        "features": ["learning_rate", "schedules", *(features or []), *others],
        "flags": ["overwritten"] if any(_is_set(event) for event in events or ()) else [],
        "optimizer": {"class_name": optimizer, "config": config},
        "variables": variables,
        "events": steps if events is None else events,
    }


def gradient(optimizer: str, seed: str, dtype: str = "float32") -> Document:
    """A step with gradients of its own."""
    stream = random.Random(f"{optimizer} {seed}")
    return {"apply": [normal(stream, shape, dtype) for shape in SHAPES.values()]}


def _is_set(event: Document) -> bool:
    return not {"set", "set_iterations"}.isdisjoint(event.get("attempt", event))


def _legacy(edition: str) -> bool:
    return edition == "tf2.4" or edition.endswith(".legacy")
