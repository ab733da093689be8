"""The cases that are recorded, drawn from the specification: deterministic, readable ids, nothing by hand.

For every optimizer of an edition: the defaults in each dtype; each hyperparameter at each of its samples;
a covering array of all pairs of options; each gradient pattern; each class of shapes; the options of the
pipeline; a run of 1,000 steps; and what must be refused.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from goldenstep import spec
from goldenstep.spec.layout import facts

from .backend_cases import backend_cases
from .compare import full_config, owners
from .crossed_cases import crossed_cases
from .drawing import Document, Shape, at_rest, dtypes_of, features_of, from_zero, normal, slug, typed, variant_configs
from .edge_cases import edge_cases
from .escaped_cases import escaped_cases
from .extreme_cases import extreme_cases
from .given_cases import given_cases
from .graph_cases import graph_cases
from .lifecycle_cases import lifecycle_cases
from .mixture_cases import mixture_cases
from .optimizer_schedule_cases import optimizer_schedule_cases
from .overlooked_cases import overlooked_cases
from .overwriting_cases import overwriting_cases
from .rare_cases import rare_cases
from .remote_cases import remote_cases
from .replica_cases import replica_cases
from .seldom_cases import seldom_cases
from .sparse_cases import sparse_cases
from .subtle_cases import subtle_cases
from .uncommon_cases import uncommon_cases

STEPS = 10
USUAL: dict[str, Shape] = {"kernel": (2, 5), "bias": (3,)}
ONE: dict[str, Shape] = {"kernel": (2, 5)}
LONG: dict[str, Shape] = {"bias": (43,)}
BOTH_RANKS: dict[str, Shape] = {"kernel": (2, 5), "bias": (11,)}
SHAPES: dict[str, dict[str, Shape]] = {
    "scalar": {"scale": ()},
    "empty": {"nothing": (0,), "bias": (2,)},
    "one": {"single": (1,)},
    "vector-17": {"bias": (17,)},
    "matrix-tall": {"kernel": (6, 2)},
    "cube": {"kernel": (2, 3, 2)},
    "four-dimensional": {"kernel": (2, 1, 2, 2)},
    "three-variables": {"kernel": (3, 3), "bias": (4,), "scale": ()},
}
LENGTHS: dict[str, Shape] = {f"bias_of_{n}": (n,) for n in (5, 7, 13, 14, 15, 16, 23)}
"""With the other shapes every remainder of packets of four and of eight is there."""
PIPELINE: dict[str, Document] = {
    "weight_decay=0.1": {"weight_decay": 0.1},
    "clipvalue=0.5": {"clipvalue": 0.5},
    "clipnorm=0.5": {"clipnorm": 0.5},
    "global_clipnorm=0.5": {"global_clipnorm": 0.5},
    "use_ema": {"use_ema": True, "ema_momentum": 0.75},
    "use_ema+ema_overwrite_frequency=3": {"use_ema": True, "ema_momentum": 0.75, "ema_overwrite_frequency": 3},
}
KEPT_OF_A_THOUSAND = [1, 2, 9, 10, 99, 100, 999, 1000]


def cases(edition: str) -> Iterator[Document]:
    """All cases of an edition, optimizer by optimizer."""
    for optimizer in spec.available(edition):
        yield from cases_of(edition, optimizer)


def cases_of(edition: str, optimizer: str) -> Iterator[Document]:
    """All cases of one optimizer of an edition; the ids are unique."""
    seen: set[str] = set()
    for name, case in _slugged(edition, optimizer):
        identity = f"{edition}/{optimizer.lower()}/{name}"
        if identity not in seen:
            seen.add(identity)
            yield finished(identity, edition, case)


def _slugged(edition: str, optimizer: str) -> Iterator[tuple[str, Document]]:
    own = spec.hyperparameters(optimizer, edition)
    dtypes = dtypes_of(edition, optimizer)

    asks_for_shape = any({"rank", "uses_adam"} & set(v["when"]) for v in spec.optimizers()[optimizer]["variants"])

    def case(
        config: Document,
        shapes: dict[str, Shape] = BOTH_RANKS if asks_for_shape else ONE,
        dtype: str = "float32",
        pattern: str = "random",
    ) -> Document:
        return drawn(optimizer, config, shapes, dtype, pattern)

    for dtype in dtypes:
        yield f"defaults-{dtype}", case({}, USUAL, dtype)
    for name, entry in own.items():
        for sample in entry["samples"]:
            yield slug({name: sample}), case({name: sample})
    for config, dtype in pairs(own, dtypes):
        if config:
            yield f"{slug(config)}-{dtype}", case(config, dtype=dtype)
    for pattern in PATTERNS:
        yield f"gradient-{pattern}", case({}, pattern=pattern)
    if optimizer == "Nadam":  # its product of momenta is one for all variables
        yield "variables-of-two-dtypes", of_two_dtypes(case({}, USUAL))
    if optimizer == "Lamb":  # the norm of what it divides by is 0
        yield "first-gradient-zero", at_rest(case({}))
    for config in ({}, *variant_configs(optimizer, edition)):
        yield f"{slug(config)}+starts-at-zero".lstrip("+"), from_zero(case(config, LONG))
    for config in variant_configs(optimizer, edition):
        for pattern in ("zero", "shrinking", "huge", "infinite", "nan"):
            yield f"{slug(config)}+gradient-{pattern}", case(config, pattern=pattern)
    for name, shapes in SHAPES.items():
        yield f"shape-{name}", case({}, shapes)
    for config in ({}, *variant_configs(optimizer, edition)):
        lengths = case(config, LENGTHS)
        yield f"{slug(config)}+every-length".lstrip("+"), {**lengths, "events": lengths["events"][:2]}
    given = set(spec.taken(optimizer, edition))
    for name, config in PIPELINE.items():
        if set(config) <= given:
            yield name, case(config, USUAL)
    yield "thousand-steps", thousand(case({}, USUAL))
    yield from refused(edition, optimizer)
    if optimizer == "SGD":
        yield from last_bits(edition)
    yield from lifecycle_cases(edition, optimizer)
    yield from edge_cases(edition, optimizer)
    yield from replica_cases(edition, optimizer)
    yield from graph_cases(edition, optimizer)
    yield from optimizer_schedule_cases(edition, optimizer)
    yield from sparse_cases(edition, optimizer)
    yield from subtle_cases(edition, optimizer)
    yield from backend_cases(edition, optimizer)
    yield from rare_cases(edition, optimizer)
    yield from uncommon_cases(edition, optimizer)
    yield from seldom_cases(edition, optimizer)
    yield from mixture_cases(edition, optimizer)
    yield from crossed_cases(edition, optimizer)
    yield from remote_cases(edition, optimizer)
    yield from overwriting_cases(edition, optimizer)
    yield from overlooked_cases(edition, optimizer)
    yield from escaped_cases(edition, optimizer)
    yield from extreme_cases(edition, optimizer)
    yield from given_cases(edition, optimizer)


def refused(edition: str, optimizer: str) -> Iterator[tuple[str, Document]]:
    """What must be refused: arguments that are unknown or out of range, gradients that don't fit."""
    for refusal in spec.refusals(optimizer, edition):
        config = {refusal["argument"]: refusal["example"]}
        yield f"refused-{slug(config)}", refusing(drawn(optimizer, config, LITTLE), [])
    for entry in spec.errors(edition, optimizer, "construct"):
        if optimizer in entry.get("optimizers", ["Adam"]):
            yield f"refused-{slug(entry['given'])}", refusing(drawn(optimizer, entry["given"], LITTLE), [])
    for entry in spec.errors(edition, optimizer, "apply"):
        if "config" in entry["given"] and optimizer in entry.get("optimizers", ["Adam"]):
            case = drawn(optimizer, entry["given"]["config"], LITTLE)
            yield f"fails-at-the-first-step-{slug(entry['given']['config'])}", refusing(case, case["events"][:1])
    yield "refused-learning_speed=0.1", refusing(drawn(optimizer, {"learning_speed": 0.1}, LITTLE), [])
    for name, (gradient, dtype) in MISFITS.items():
        stream = random.Random(f"{optimizer} {name}")
        misfit = {"dtype": dtype, "shape": list(gradient), "values": normal(stream, gradient, dtype)}
        yield f"gradient-{name}", refusing(drawn(optimizer, {}, MATRIX), [{"apply": [misfit]}])
        for config in variant_configs(optimizer, edition) if optimizer in FITTING else ():
            other = drawn(optimizer, config, MATRIX)
            yield f"{slug(config)}+gradient-{name}", refusing(other, [{"apply": [misfit]}])
    yield "gradient-none-at-all", refusing(drawn(optimizer, {}, LITTLE), [{"apply": [None]}])


def last_bits(edition: str) -> Iterator[tuple[str, Document]]:
    """What the rounding inside the pipeline shows in: weights that start at 0, rates near 1, small halves."""
    takes = {argument["name"] for argument in spec.arguments("SGD", edition)}
    showing = {"learning_rate": 1.0, "momentum": 0.5}
    # Thresholds that are no floats: their inverses, and quotients by the norm, are rounded.
    for limit in (0.3, 24.8):
        clipped = drawn("SGD", {**showing, "global_clipnorm": limit}, USUAL)
        yield f"global_clipnorm={limit}+starts-at-zero", from_zero(clipped)
    halves = drawn("SGD", {**showing, "global_clipnorm": 0.001}, USUAL, "float16")
    yield "global_clipnorm=0.001+gradient-small-float16", from_zero(small(halves))
    for pattern in ("infinite", "nan"):
        yield f"global_clipnorm=0.5+gradient-{pattern}", drawn("SGD", {"global_clipnorm": 0.5}, USUAL, pattern=pattern)
    if "use_ema" in takes:
        # 1 - 0.99 is not the same in float32 and in float64.
        yield "use_ema+ema_momentum=0.99", drawn("SGD", {"use_ema": True, "learning_rate": 0.7}, USUAL)
    if "weight_decay" in takes:
        config = {"learning_rate": 0.7, "weight_decay": 0.9}
        name = "learning_rate=0.7+weight_decay=0.9+gradient-zero"
        yield name, drawn("SGD", config, USUAL, pattern="zero")


def small(case: Document) -> Document:
    """The case with gradients 2**-11 times as large."""
    dtypes = [variable["value"]["dtype"] for variable in case["variables"]]
    events = [
        {"apply": [scaled([g], 2.0**-11, t)[0] for g, t in zip(e["apply"], dtypes, strict=True)]}
        for e in case["events"]
    ]
    return {**case, "events": events}


def refusing(case: Document, events: list[Document]) -> Document:
    """The case with other events, as one about errors."""
    return {**case, "events": events, "features": ["errors"]}


FITTING = ("SGD", "RMSprop", "Muon")
"""Whether they take a gradient of another shape or dtype depends on the variant."""
LITTLE: dict[str, Shape] = {"bias": (2,)}
MATRIX: dict[str, Shape] = {"kernel": (2, 4)}
MISFITS: dict[str, tuple[Shape, str]] = {
    "of-shape-4-for-2x4": ((4,), "float32"),
    "of-shape-1x4-for-2x4": ((1, 4), "float32"),
    "of-shape-3-for-2x4": ((3,), "float32"),
    "of-shape-3x2x4-for-2x4": ((3, 2, 4), "float32"),
    "of-float64-for-float32": ((2, 4), "float64"),
}


def of_two_dtypes(case: Document) -> Document:
    """The case with its last variable in float64; it may be one about errors."""
    case["variables"][-1]["value"]["dtype"] = "float64"
    for event in case["events"]:
        event["apply"][-1] = {
            "dtype": "float64",
            "shape": case["variables"][-1]["value"]["shape"],
            "values": event["apply"][-1],
        }
    return case


def pairs(own: dict[str, Document], dtypes: list[str]) -> Iterator[tuple[Document, str]]:
    """Configurations that hold every pair of options (and every option with every dtype) at least once."""
    from allpairspy import AllPairs

    names = list(own)
    levels = [[entry["default"], *entry["samples"]] for entry in own.values()]
    for *values, dtype in AllPairs([*levels, dtypes]):
        yield {n: v for n, v in zip(names, values, strict=True) if v != own[n]["default"]}, dtype


def drawn(
    optimizer: str, config: Document, shapes: dict[str, Shape], dtype: str = "float32", pattern: str = "random"
) -> Document:
    """A case of ten steps with first values and gradients from a generator that the case itself seeds."""
    stream = random.Random(f"{optimizer} {sorted(config.items())} {shapes} {dtype} {pattern}")
    variables = [
        {"name": name, "value": {"dtype": dtype, "shape": list(shape), "values": normal(stream, shape, dtype)}}
        for name, shape in shapes.items()
    ]
    base = [[normal(stream, shape, dtype) for shape in shapes.values()] for _ in range(STEPS)]
    return {
        "flags": [] if pattern == "random" else [f"gradient-{pattern}"],
        "optimizer": {"class_name": optimizer, "config": config},
        "variables": variables,
        "events": [{"apply": PATTERNS_AND_RANDOM[pattern](base, step, dtype)} for step in range(STEPS)],
    }


Gradients = list[list[float]]


def scaled(gradients: Gradients, factor: float, dtype: str) -> list[list[Any]]:
    """Each gradient times a factor, as the dtype holds it."""
    return [typed([float(x) * factor for x in gradient], dtype) for gradient in gradients]


def with_special(gradients: Gradients, value: str, step: int) -> list[list[Any]]:
    """On the third step one element of the first gradient is `value`."""
    special: list[list[Any]] = [list(g) for g in gradients]
    if step == 2 and special[0]:
        special[0][0] = value
    return special


PATTERNS: dict[str, Any] = {
    "shrinking": lambda base, step, dtype: scaled(base[0], 0.5**step, dtype),
    "growing": lambda base, step, dtype: scaled(base[0], 2.0**step / 16, dtype),
    "sign-changing": lambda base, step, dtype: scaled(base[0], (-1.0) ** step, dtype),
    "zero": lambda base, step, dtype: scaled(base[0], 0.0 if step else 1.0, dtype),
    "tiny": lambda base, step, dtype: scaled(base[step], 1e-20, dtype),
    "huge": lambda base, step, dtype: scaled(base[step], 1e20, dtype),
    "infinite": lambda base, step, dtype: with_special(base[step], "Infinity", step),
    "nan": lambda base, step, dtype: with_special(base[step], "NaN", step),
}
PATTERNS_AND_RANDOM = {**PATTERNS, "random": lambda base, step, dtype: base[step]}


def thousand(case: Document) -> Document:
    """The ten steps of a case a hundred times over, kept where a trajectory is looked at, and just before."""
    return {
        **case,
        "flags": ["long-run"],
        "events": [{"repeat": 100, "events": case["events"]}],
        "keep": KEPT_OF_A_THOUSAND,
    }


def unusual(case: Document) -> list[str]:
    """Features that variables and lists have, not configs: names that are paths, and a variable that stands twice."""
    paths = any("/" in variable["name"] for variable in case["variables"])
    lists = [event.get("attempt", event).get("of") for event in case["events"]]
    repeated = any(isinstance(of, list) and len(set(of)) < len(of) for of in lists)
    return [*(["paths"] if paths else []), *(["repeated"] if repeated else [])]


def finished(identity: str, edition: str, case: Document) -> Document:
    """The case in its final form: id, edition, clauses and features filled in, keys in the schema's order."""
    case = {"id": identity, "edition": edition, **case}
    optimizer, config = case["optimizer"]["class_name"], case["optimizer"]["config"]
    features = [*(case.get("features") or ["dense", *features_of(config)]), *unusual(case)]
    stated: list[str] = []
    if "errors" not in features:
        known = full_config(case)
        per_variable = [spec.clauses(optimizer, edition, facts(optimizer, known, o), features) for o in owners(case)]
        stated = list(dict.fromkeys(clause for ids in per_variable for clause in ids))
        stated += spec.pipeline_clauses(edition, features, known)
    keep: Document = {key: case[key] for key in ("keep", "replicas", "mode") if key in case}
    return {
        "id": identity,
        "edition": edition,
        "clauses": stated,
        "features": features,
        "flags": case["flags"],
        "optimizer": case["optimizer"],
        "variables": case["variables"],
        "events": case["events"],
        **keep,
    }
