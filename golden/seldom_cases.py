"""Cases of options that seldom meet what makes them tell.

Gradients that are NaN all over, or 0, thresholds near 0, variables that are spared one after the other, and variants
with hyperparameters at either end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from goldenstep import spec

from .drawing import Document, Shape, normal, slug, typed
from .lifecycle_cases import Case, Maker, Steps, attempt
from .sparse_cases import configs_of_variants

TWO: dict[str, Shape] = {"kernel": (2, 2), "bias": (2,)}
CLIPS = ("clipnorm", "clipvalue", "global_clipnorm")
FAINT = 1e-8
LOW = 0.0625


def seldom_cases(edition: str, optimizer: str) -> Iterator[Case]:
    """Pairs of a slug and a case without id, edition and clauses."""
    make = Maker(edition, optimizer)
    yield "gradient-all-nan", make.case({}, lambda s: [s.apply(), spoiled(s, "NaN"), s.apply()], shapes=TWO)
    yield from variants_at_the_ends(make)
    if optimizer in ("SGD", "Adam", "AdamW"):
        yield from nothing_to_clip(make)
    if optimizer in ("SGD", "Adam"):
        yield from faint_thresholds(make)
        yield from spared_in_turn(make)


def spoiled(steps: Steps, number: Any) -> Document:
    """A step whose first gradient is one number all over."""
    event = steps.apply()
    event["apply"][0] = [number] * len(event["apply"][0])
    return event


def variants_at_the_ends(make: Maker) -> Iterator[Case]:
    """Each variant with all decays and momenta just below 1, and with all of them low."""
    own = spec.hyperparameters(make.optimizer, make.edition)
    decays = [name for name, entry in own.items() if entry.get("maximum", entry.get("exclusiveMaximum")) == 1]
    for config in ({}, *configs_of_variants(make.optimizer, make.edition)):
        asked = [name for name in decays if own[name]["default"] != 0 or name in config]
        for name, number in (("high", 0.984375), ("low", LOW)):
            given = {**config, **dict.fromkeys(asked, number)}
            if asked:
                yield "+".join([*config, f"{name}-decays"]), make.case(given, lambda s: s.many(4), shapes=TWO)


def nothing_to_clip(make: Maker) -> Iterator[Case]:
    """Weights decay, and means move, also where every gradient is 0 and there is nothing to clip."""
    others: list[Document] = [{}, *([{"weight_decay": 0.5}] if "weight_decay" in make.takes else [])]
    for clip in CLIPS if set(CLIPS) <= make.takes else ():
        for other in others:
            config = {**other, clip: 0.5}
            case = make.case(config, lambda s: [s.apply(), zeros(s), zeros(s), s.apply()], shapes=TWO)
            yield f"{slug(config)}+zero-gradients", case


def zeros(steps: Steps) -> Document:
    """A step of gradients that are 0."""
    event = steps.apply()
    return {"apply": [[0.0] * len(gradient) for gradient in event["apply"]]}


def faint_thresholds(make: Maker) -> Iterator[Case]:
    """Thresholds of about the size of faint gradients, which are clipped, and not."""
    for clip in CLIPS if set(CLIPS) <= make.takes else ():
        case = make.case({clip: FAINT}, faint, shapes=TWO)
        yield f"{clip}=1e-08+faint", case


def faint(steps: Steps) -> list[Document]:
    """Gradients that are longer than the threshold, shorter, and far longer."""
    scales: Sequence[float] = (8 * FAINT, FAINT / 8, 1.0)
    return [{"apply": [scaled(steps, shape, scale) for shape in steps.shapes]} for scale in scales]


def scaled(steps: Steps, shape: Shape, scale: float) -> list[Any]:
    """A gradient of this size."""
    return typed([scale * x for x in normal(steps.stream, shape, "float64")], steps.dtype)


def spared_in_turn(make: Maker) -> Iterator[Case]:
    """Variables are spared weight decay one after the other, before the first step; by name alike."""
    if "weight_decay" not in make.takes:
        return
    turns: dict[str, list[Document]] = {
        "variables": [{"variables": [0]}, {"variables": [1]}],
        "names": [{"names": ["kernel"]}, {"names": ["bias"]}],
        "none-of-them": [{"variables": [0], "names": ["bias"]}, {"variables": []}],
    }
    for name, calls in turns.items():
        first = [attempt({"exclude": call}) for call in calls]
        yield f"exclude-{name}-in-turn", make.case({"weight_decay": 0.5}, lambda s: [*first, *s.many(2)])  # noqa: B023
