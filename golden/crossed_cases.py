"""Every pair of what a plain step is made of: an optimizer's variants, its numbers, the pipeline's options, dtypes.

The covering arrays of pair_cases.py and lifecycle_cases.py are about the main optimizers, and nearly all of their cases
ask for rows, constraints or schedules, too. These are about every optimizer, and whoever has one and nothing else can
run them. An id names what is not plain: `keras3/adam/crossed-amsgrad+clipnorm+none-float64`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from goldenstep import spec

from .drawing import Document, Shape, dtypes_of, slug, variant_configs
from .lifecycle_cases import CLIPS, EMA, Case, Maker, Steps, attempt

SHAPES: dict[str, Shape] = {"kernel": (3, 2), "bias": (2,)}
PIPELINE: dict[str, list[tuple[str, Document]]] = {
    "weight_decay": [("", {}), ("decay", {"weight_decay": 0.25})],
    "clip": [("", {}), *((kind, {kind: 0.5}) for kind in CLIPS)],
    "use_ema": [("", {}), ("ema", EMA), ("ema-2", {**EMA, "ema_overwrite_frequency": 2})],
    "gradient_accumulation_steps": [("", {}), ("every-2", {"gradient_accumulation_steps": 2})],
    "loss_scale_factor": [("", {}), ("scale", {"loss_scale_factor": 8.0})],
    "decay": [("", {}), ("rate-decays", {"decay": 0.5})],
}
"""The levels of each option; an edition has those that its constructors take."""


def crossed_cases(edition: str, optimizer: str) -> Iterator[Case]:
    """Pairs of a slug and a case without id, edition and clauses: four steps each."""
    from allpairspy import AllPairs

    make = Maker(edition, optimizer)
    variants = [{}, *variant_configs(optimizer, edition)]
    options = [levels for name, levels in PIPELINE.items() if name in make.takes | {"clip"}]
    others: list[list[Any]] = [dtypes_of(edition, optimizer), [(), (1,)], [False, True]]
    numbers = [("", {}), ("tuned", tuned(optimizer, edition))]
    for variant, *pipeline, number, dtype, without, overwritten in AllPairs([variants, *options, numbers, *others]):
        config = {**variant, **number[1], **{k: v for _, option in pipeline for k, v in option.items()}}
        told = [slug(variant), *(name for name, _ in (*pipeline, number)), "none" * bool(without), "set" * overwritten]

        def played(s: Steps, without: tuple[int, ...] = without, overwritten: bool = overwritten) -> list[Document]:
            steps = [s.apply(), s.apply(without=without), s.apply(), s.apply(without=without)]
            change = [{"set": {"learning_rate": 0.03}}] if overwritten else []
            return [attempt(event) for event in (*steps[:2], *change, *steps[2:])]

        features = ["none"] * bool(without) + ["learning_rate"] * overwritten
        name = f"crossed-{'+'.join(filter(None, told)) or 'plain'}-{dtype}"
        yield name, make.case(config, played, features, ["combination"], SHAPES, dtype=dtype)


def tuned(optimizer: str, edition: str) -> Document:
    """Every number of the optimizer's own that no variant is about, at a sample from the middle of the list."""
    asked = {name for variant in spec.optimizers()[optimizer]["variants"] for name in variant["when"]}
    own = spec.hyperparameters(optimizer, edition)
    left = {name: entry["samples"] for name, entry in own.items() if entry["type"] in ("float", "int")}
    spared = {*asked, *PIPELINE, "learning_rate"}
    return {name: samples[len(samples) // 2] for name, samples in left.items() if name not in spared and samples}
