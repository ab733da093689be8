"""The covering array: what is recorded holds every pair of levels, as the cases themselves show."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest

from goldenstep import spec
from goldenstep.golden import files
from goldenstep.golden.drawing import dtypes_of, slug, variant_configs
from goldenstep.golden.pair_cases import IMPOSSIBLE, OPTIMIZERS, STEPS, factors

Document = dict[str, Any]
Level = tuple[str, str]


def goldens(edition: str) -> list[Document]:
    return list(files.goldens(files.path_of(edition, "pairs")))


def seen(case: Document) -> dict[str, str]:
    """The level of each factor, read from the case and not from what made it."""
    config, events = case["optimizer"]["config"], [event["attempt"] for event in case["events"]]
    gradients = [event["apply"] for event in events if "apply" in event]
    kinds = [next(iter(event)) for event in events]
    settings = [event["set"] for event in events if "set" in event]
    rate = config["learning_rate"]
    overwrites = "ema_overwrite_frequency" in config
    nulls = [step for step, (_, bias) in enumerate(gradients) if bias is None]
    constraint = case["variables"][0].get("constraint") or {"class_name": "plain"}
    rows = all(isinstance(kernel, dict) for kernel, _ in gradients)
    assert len(gradients) == STEPS
    assert rows or not any(isinstance(kernel, dict) for kernel, _ in gradients)
    return {
        "variant": variant(case["optimizer"]["class_name"], config),
        "learning_rate": {float: "plain"}.get(type(rate)) or ("function" if "callable" in rate else "schedule"),
        "weight_decay": "plain" if "weight_decay" not in config else "decay-spares" * ("exclude" in kinds) or "decay",
        "clip": next((name for name in ("clipnorm", "clipvalue", "global_clipnorm") if name in config), "plain"),
        "use_ema": "plain" if not config.get("use_ema") else "ema-overwrites" if overwrites else "ema",
        "gradient_accumulation_steps": "accumulation" if "gradient_accumulation_steps" in config else "plain",
        "loss_scale_factor": "loss-scale" if "loss_scale_factor" in config else "plain",
        "decay": "rate-decay" if "decay" in config else "plain",
        "gradients": "rows" if rows else "plain",
        "missing": {(): "plain", (0,): "null-first"}.get(tuple(nulls), "null-later"),
        "overwritten": "plain" if not settings else "set-rate" if "learning_rate" in settings[0] else "set-hyper",
        "finalize": "plain" if "finalize" not in kinds else "finalize" + "-between" * (kinds[-1] != "finalize"),
        "constraint": {"NonNeg": "non-negative", "MaxNorm": "max-norm"}.get(constraint["class_name"], "plain"),
        "dtype": case["variables"][0]["value"]["dtype"],
    }


def variant(optimizer: str, config: Document) -> str:
    """Which rule an optimizer of a case has, under the name of its level."""
    if optimizer == "SGD":
        return "nesterov" if config.get("nesterov") else "momentum" if config.get("momentum") else "plain"
    if optimizer == "Adam":
        return "amsgrad" if config.get("amsgrad") else "plain"
    if optimizer == "RMSprop":
        return "momentum" if config.get("momentum") else "centered" if config.get("centered") else "plain"
    shrinks = config.get("l2_shrinkage_regularization_strength")
    return "shrinkage" if shrinks else "regularized" if config.get("l1_regularization_strength") else "plain"


def wanted(edition: str, optimizer: str) -> Iterator[frozenset[Level]]:
    """Every pair of levels of different factors that can stand together."""
    levels = [[(name, level) for level in choices] for name, choices in factors(edition, optimizer).items()]
    impossible = [together for together, editions in IMPOSSIBLE if edition in editions]
    for one, other in itertools.combinations(levels, 2):
        for pair in itertools.product(one, other):
            if not any(together <= {level for _, level in pair} for together in impossible):
                yield frozenset(pair)


@pytest.mark.parametrize("edition", spec.editions())
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_pair_of_levels_is_in_a_case(edition: str, optimizer: str) -> None:
    cases = [g["case"] for g in goldens(edition) if g["case"]["optimizer"]["class_name"] == optimizer]
    found = {frozenset(pair) for case in cases for pair in itertools.combinations(seen(case).items(), 2)}
    expected = set(wanted(edition, optimizer))
    assert len(expected) > 100
    assert expected - found == set()


@pytest.mark.parametrize("edition", spec.editions())
def test_the_runs_get_somewhere(edition: str) -> None:
    """Errors are events among others: nearly all steps are taken, and weights are numbers."""
    steps = [
        "error" not in step
        for golden in goldens(edition)
        for step, event in zip(golden["trajectory"]["steps"], golden["case"]["events"], strict=True)
        if "apply" in event["attempt"]
    ]
    assert sum(steps) > 0.95 * len(steps)
    broken = [g["case"]["id"] for g in goldens(edition) if "NaN" in json.dumps(g["trajectory"]["steps"])]
    assert len(broken) <= 4


ONE_OF = [("clipnorm", "clipvalue", "global_clipnorm"), ("float32", "float64", "float16")]
OPTIONS = ("weight_decay", "loss_scale_factor", "decay", "gradient_accumulation_steps", "use_ema", *ONE_OF[0])


def crossed(edition: str, optimizer: str) -> list[set[str]]:
    """What is not plain in each crossed case of an optimizer, and its dtype, as the cases themselves show."""
    found = []
    for golden in files.goldens(files.path_of(edition, optimizer)):
        case = golden["case"]
        if "/crossed-" not in case["id"]:
            continue
        config, events = case["optimizer"]["config"], [event["attempt"] for event in case["events"]]
        variants = [slug(v) for v in variant_configs(optimizer, edition) if v.items() <= config.items()]
        null = ["null"] * any(None in event.get("apply", ()) for event in events)
        assigned = ["assigned"] * any("set" in event for event in events)
        options = [name for name in OPTIONS if name in config]
        found.append({*variants, *null, *assigned, *options, case["variables"][0]["value"]["dtype"]})
    return found


@pytest.mark.parametrize("edition", spec.editions())
def test_every_optimizer_meets_every_pair_of_options_without_rows_schedules_or_constraints(edition: str) -> None:
    for optimizer in spec.available(edition):
        cases = crossed(edition, optimizer)
        takes = {name for name in OPTIONS if name in spec.taken(optimizer, edition)}
        levels = {*takes, "null", "assigned", *dtypes_of(edition, optimizer)}
        levels |= {slug(variant) for variant in variant_configs(optimizer, edition)}
        together = {frozenset(pair) for case in cases for pair in itertools.combinations(sorted(case), 2)}
        apart = {frozenset(pair) for group in ONE_OF for pair in itertools.combinations(group, 2)}
        variants = [slug(variant) for variant in variant_configs(optimizer, edition)]
        apart |= {frozenset(pair) for pair in itertools.combinations(variants, 2)}
        wanted = {frozenset(pair) for pair in itertools.combinations(sorted(levels), 2)} - apart
        assert len(wanted) > 20
        assert wanted - together == set(), optimizer
