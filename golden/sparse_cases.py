"""The cases of sparse gradients: some rows of one variable, in five steps.

Every edition has its own answer to each of three questions: are rows that stand twice summed before they are
squared; do rows that no gradient touches go on moving; and is what was clipped the rows or their sum?
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from typing import Any

from goldenstep import spec

from .drawing import Document, Shape, at_rest, dtypes_of, features_of, normal, shrunk, slug, typed
from .lifecycle_cases import attempt

PATTERNS: dict[str, list[list[int]]] = {
    "distinct-rows": [[3, 0], [4], [1, 3, 0], [2, 4], [0, 3]],
    "duplicate-rows": [[1, 1, 1], [3, 1, 3], [4, 2], [1, 4, 1, 4], [0, 3, 0]],
    "cancelling-rows": [[2, 2], [0, 2, 0], [2, 1, 1, 2], [2, 2], [2]],
    "untouched-rows": [[0, 1, 2, 3, 4], [2], [2], [0], [2]],
    "empty-indices": [[0, 1, 2, 3, 4], [], [3, 3], [], [1]],
}
FLAGS = {
    "distinct-rows": ["untouched-rows"],
    "duplicate-rows": ["duplicate-indices"],
    "cancelling-rows": ["duplicate-indices", "cancelling-rows"],
    "untouched-rows": ["untouched-rows"],
    "empty-indices": ["empty-indices", "duplicate-indices"],
}
WIDE: Shape = (5, 19)
CLIPPING: list[Document] = [{"clipnorm": 0.5}, {"clipvalue": 0.5}, {"global_clipnorm": 0.5}]
EMA: Document = {"use_ema": True, "ema_momentum": 0.75}
WHOLE_POWERS: list[Document] = [
    {"learning_rate_power": -2.0},
    {"learning_rate_power": -2.0, "l2_shrinkage_regularization_strength": 0.01},
]
# In float16 this epsilon is 0, and where there was no gradient yet so is the divisor.
DIVISORS_OF_ZERO: dict[str, list[Document]] = {
    "Adagrad": [{"initial_accumulator_value": 0.0, "epsilon": 1e-10}],
    "RMSprop": [{"epsilon": 1e-10}, {"epsilon": 1e-10, "centered": True}],
}
FTRL: Document = {
    "learning_rate": 0.7,
    "beta": 0.3,
    "l1_regularization_strength": 0.25,
    "l2_regularization_strength": 0.2,
}
# Options that a sparse rule handles by itself: only a sparse gradient tells whether it does.
OPTIONS: dict[str, list[Document]] = {
    "Adafactor": [{"learning_rate": 1.0, "clip_threshold": 0.5}],
    "AdamW": [{"weight_decay": decay, **amsgrad} for decay in (0.0, 1.0) for amsgrad in ({}, {"amsgrad": True})],
    "Ftrl": [
        {**FTRL, **shrinkage, **power}
        for shrinkage in ({}, {"l2_shrinkage_regularization_strength": 0.01})
        for power in ({}, {"learning_rate_power": -0.75})
    ],
    "Muon": [{"adam_lr_ratio": 0.5}],
    "ScheduleFreeAdamW": [{"warmup_steps": 3}],
}
REFUSED_ROWS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("tf2.4", "tf2.9.legacy", "tf2.12.legacy", "tf2.15.legacy"), ("Adadelta", "Adagrad", "Ftrl")),
    "keras3": (
        "Adadelta",
        "Adam",
        "Adamax",
        "AdamW",
        "Ftrl",
        "Lamb",
        "Lion",
        "Nadam",
        "RMSprop",
        "ScheduleFreeAdamW",
    ),
}
"""Who refuses rows of another length before anything has moved. Others scatter them unlooked at, beyond their ends."""
NON_NEGATIVE: Document = {"class_name": "NonNeg", "config": {}}


def sparse_cases(edition: str, optimizer: str) -> Iterator[tuple[str, Document]]:
    """Pairs of a slug and a case without id, edition and clauses: all of one optimizer of an edition."""
    for name, case in unnamed(edition, optimizer):
        yield f"sparse-{name}", case


def unnamed(edition: str, optimizer: str) -> Iterator[tuple[str, Document]]:
    """The same; SGD and Adam get every option of the pipeline, the others those that depend on the rule."""

    def case(config: Document, pattern: str, shape: Shape = (5, 2), dtype: str = "float32") -> Document:
        return drawn(optimizer, config, pattern, shape, dtype)

    for pattern in PATTERNS:
        yield pattern, case({}, pattern)
    dtypes = dtypes_of(edition, optimizer)
    for dtype in dtypes[1:]:
        yield f"duplicate-rows-{dtype}", case({}, "duplicate-rows", dtype=dtype)
    for config in DIVISORS_OF_ZERO.get(optimizer, ()):
        yield f"{slug(config)}+distinct-rows-float16", case(config, "distinct-rows", dtype="float16")
    yield "wide-rows", case({"learning_rate": 0.7}, "duplicate-rows", WIDE)
    for config in configs_of_variants(optimizer, edition):
        yield f"{slug(config)}+wide-rows", case({"learning_rate": 0.7, **config}, "duplicate-rows", WIDE)
        yield f"{slug(config)}+untouched-rows", case(config, "untouched-rows")
        yield f"{slug(config)}+empty-indices", case(config, "empty-indices")
        if "float16" in dtypes:
            yield f"{slug(config)}+duplicate-rows-float16", case(config, "duplicate-rows", (5, 11), "float16")
    for config in WHOLE_POWERS if optimizer == "Ftrl" else ():
        yield f"{slug(config)}+wide-rows", case({"learning_rate": 0.7, **config}, "duplicate-rows", WIDE)
    for config in OPTIONS.get(optimizer, ()):
        yield f"{slug(config)}+untouched-rows", case(config, "untouched-rows")
        yield f"{slug(config)}+vector", case(config, "duplicate-rows", (5,))
    if optimizer == "Nadam":  # its product of momenta is one for all variables
        two = [case({}, "duplicate-rows", dtype=dtype) for dtype in ("float32", "float64")]
        yield "variables-of-two-dtypes", together(*two)
    if optimizer == "Lamb":  # norms of 0, and below 1
        yield "first-gradient-zero", at_rest(case({}, "untouched-rows"))
        yield "starts-at-zero", shrunk(case({}, "duplicate-rows"), 0.0)
        yield "small-weights", shrunk(case({}, "duplicate-rows"), 2.0**-6)
    yield "vector", case({}, "duplicate-rows", (5,))
    yield "tiny", tiny(case({}, "duplicate-rows"))
    yield "nan", spoiled(case({}, "distinct-rows"))
    yield "refused-index-5-of-5", refused(out_of_range(case({}, "distinct-rows")))
    if edition == "keras3" and optimizer not in ("SGD", "Adagrad"):  # which scatter: they refuse it half way
        yield "negative-index", negative(case({}, "duplicate-rows"))
    if optimizer in REFUSED_ROWS.get(edition, ()):
        yield "rows-of-another-length", of_another_length(case({}, "distinct-rows"))
    given = set(spec.taken(optimizer, edition))
    thorough = optimizer in ("SGD", "Adam")
    options = [*CLIPPING, {"weight_decay": 0.1}, EMA, {"gradient_accumulation_steps": 2}] if thorough else CLIPPING[:1]
    for config in options:
        if set(config) <= given:
            yield slug(config), case(config, "duplicate-rows")
    if thorough:
        yield "constraint", constrained(case({}, "duplicate-rows"))
    if thorough and "loss_scale_factor" in given:
        yield "refused-loss_scale_factor=2.0", refused(case({"loss_scale_factor": 2.0}, "duplicate-rows"))


def configs_of_variants(optimizer: str, edition: str) -> Iterator[Document]:
    """For every variant that a config can ask for, but that of the defaults, a config that asks for it."""
    own = spec.hyperparameters(optimizer, edition)
    defaults = {name: entry["default"] for name, entry in own.items()}
    levels: dict[str, list[Any]] = {}
    for when in (variant["when"] for variant in spec.optimizers()[optimizer]["variants"]):
        for name in filter(own.__contains__, when):
            samples, asked = own[name]["samples"], when[name]
            usual = isinstance(asked, dict) or asked == defaults[name]
            levels[name] = [defaults[name], samples[(len(samples) - 1) // 2] if usual else asked]
    seen = {spec.variant(optimizer, defaults)}
    for values in itertools.product(*levels.values()):
        config = {name: value for name, value in zip(levels, values, strict=True) if value != defaults[name]}
        variant = spec.variant(optimizer, {**defaults, **config})
        if variant not in seen:
            seen.add(variant)
            yield config


def drawn(optimizer: str, config: Document, pattern: str, shape: Shape, dtype: str) -> Document:
    """A case of five steps with first values and rows from a generator that the case itself seeds."""
    stream = random.Random(f"sparse {optimizer} {sorted(config.items())} {pattern} {shape} {dtype}")
    value = {"dtype": dtype, "shape": list(shape), "values": normal(stream, shape, dtype)}
    steps = [(indices, [normal(stream, shape[1:], dtype) for _ in indices]) for indices in PATTERNS[pattern]]
    if pattern == "cancelling-rows":
        steps = [(indices, cancelling(indices, rows, dtype)) for indices, rows in steps]
    return {
        "features": ["sparse", *features_of(config)],
        "flags": FLAGS[pattern],
        "optimizer": {"class_name": optimizer, "config": config},
        "variables": [{"name": "kernel", "value": value}],
        "events": [sparse(indices, [x for row in rows for x in row], shape, dtype) for indices, rows in steps],
    }


def together(case: Document, other: Document) -> Document:
    """One case of the variables of two, which step together."""
    second = {**other["variables"][0], "name": "second"}
    events = [
        {"apply": [*one["apply"], *two["apply"]]} for one, two in zip(case["events"], other["events"], strict=True)
    ]
    return {**case, "variables": [*case["variables"], second], "events": events}


def sparse(indices: list[int], values: list[Any], shape: Shape, dtype: str) -> Document:
    """The event that applies these rows of a variable of this shape."""
    tensor = {"dtype": dtype, "shape": [len(indices), *shape[1:]], "values": values}
    return {"apply": [{"indices": [*indices], "values": tensor}]}


def cancelling(indices: list[int], rows: list[list[Any]], dtype: str) -> list[list[Any]]:
    """The rows, where the second of an index takes back the first."""
    firsts = [indices.index(index) for index in indices]
    return [
        row if first == place else typed([-x for x in rows[first]], dtype)
        for place, (first, row) in enumerate(zip(firsts, rows, strict=True))
    ]


def of_another_length(case: Document) -> Document:
    """The first step twice, between them rows with a number less, and with a number more."""
    first, *_ = case["events"]
    (rows,) = first["apply"]
    count = len(rows["indices"])
    steps = [attempt({"apply": [{**rows, "values": length_of(rows["values"], count, n)}]}) for n in (1, 3)]
    return {**case, "events": [first, *steps, first], "features": ["sparse", "errors"], "flags": []}


def length_of(values: Document, count: int, length: int) -> Document:
    """Rows of another length: the numbers there are, from the start as often as it takes."""
    numbers = itertools.islice(itertools.cycle(values["values"]), count * length)
    return {**values, "shape": [count, length], "values": list(numbers)}


def refused(case: Document) -> Document:
    """The first step of the case, as one about errors."""
    return {**case, "events": case["events"][:1], "features": ["sparse", "errors"], "flags": []}


def tiny(case: Document) -> Document:
    """The case with values of about 1e-20."""
    for event in case["events"]:
        tensor = event["apply"][0]["values"]
        tensor["values"] = typed([x * 1e-20 for x in tensor["values"]], tensor["dtype"])
    return {**case, "flags": [*case["flags"], "gradient-tiny"]}


def spoiled(case: Document) -> Document:
    """The case with NaN for the first element of the third gradient."""
    case["events"][2]["apply"][0]["values"]["values"][0] = "NaN"
    return {**case, "flags": [*case["flags"], "gradient-nan"]}


def out_of_range(case: Document) -> Document:
    """The case with a first index just past the last row."""
    case["events"][0]["apply"][0]["indices"][0] = case["variables"][0]["value"]["shape"][0]
    return case


def negative(case: Document) -> Document:
    """The case with an index of -2 in the second step, which is left out where an array is made of the rows."""
    indices = case["events"][1]["apply"][0]["indices"]
    indices[-1] = -2
    case["events"][1] = {"attempt": case["events"][1]}
    return case


def constrained(case: Document) -> Document:
    """The case with a variable that must not be negative."""
    case["variables"][0]["constraint"] = NON_NEGATIVE
    return {**case, "features": [*case["features"], "constraints"], "flags": [*case["flags"], "constraint"]}
