"""Cases inside `tf.function`: every rule with round numbers and with all digits, with dense and with sparse gradients.

The same from weights of 0, and with whole packets of 8 numbers, for which estimates of roots are taken; and what is
around the rules: the pipeline, constraints, schedules.

Grappler rewrites a graph before it runs, so that some rules round otherwise; and what Python counts is counted when
the graph is made, not when it runs.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence

import numpy as np

from goldenstep import spec
from goldenstep.spec import schedule as schedules

from .drawing import Document, Shape, dtypes_of, faint, from_zero, slug
from .lifecycle_cases import CONSTRAINTS, EMA, Case, Maker, Steps, attempt
from .remote_cases import of_all_digits, rows_of, stands_for_others, steps_of
from .sparse_cases import configs_of_variants
from .uncommon_cases import precise

SHAPES: dict[str, Shape] = {"kernel": (2, 5), "bias": (3,)}
PACKETS: dict[str, Shape] = {"kernel": (3, 8), "bias": (11,)}
STEPS = 4
VARIANTS: dict[str, list[Document]] = {
    "SGD": [{"momentum": 0.0}, {"momentum": 0.0, "nesterov": True}],
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
    "Adafactor": [{"learning_rate": 1.0, "clip_threshold": 0.5}, {"clip_threshold": 50.0}],
    "ScheduleFreeAdamW": [{"warmup_steps": 3}],
}
"""What asks for rules, or shows numbers of a rule, as no option alone does."""
FAINT = {"Lamb": ("zero", 0.0), "Adafactor": ("small", 2.0**-50), "Muon": ("small", 2.0**-24)}
"""Optimizers that divide by a norm or mean of the gradient or update, to which a tiny number is added."""
SIDES: dict[str, Shape] = {"kernel": (5, 2), "square": (3, 3)}
OBLONG: tuple[Shape, ...] = ((2, 35), (15, 18), (16, 19))
"""A product of a matrix with its transpose is another kernel for 2 to 15 rows."""
ESTIMATED = ("Adadelta", "Adafactor", "Adagrad", "Adam", "Nadam", "RMSprop")
"""Optimizers that take roots of rows, which are estimated in whole packets of 8 numbers."""
WIDE_ROWS: Shape = (5, 11)
FACTORS = (0.0, 0.015625, 1.0, 1.0)
"""Of variables, and from the last to the first of their gradients."""
TOLD: Document = {"decay_steps": 7, "first_decay_steps": 7, "decay_rate": 0.0371843}
"""Steps divided by 7 are not always its reciprocal times them; a rate so small shows it in a power."""
BRANCHES: list[Document] = [
    {"warmup_target": 0.9372846, "warmup_steps": 7},
    {"warmup_target": 0.9372846, "warmup_steps": 43},
    {"t_mul": 1.0},
    {"t_mul": 1.4372846},
    {"warmup_target": None},
    {"decay_steps": 41, "staircase": True},
    {"first_decay_steps": 41, "t_mul": 1.0},
]
"""What asks for another branch of a schedule, beside what is on or off."""
THREE_ROWS = ([0, 2, 3], [3, 3, 1], [1, 0, 1], [4, 2, 3])
"""Which rows have a gradient, step by step: as many each time, as another number would make another graph."""
OF_ALL_DIGITS: list[Document] = [
    {"clipnorm": 0.4731943},
    {"global_clipnorm": 0.4731943},
    {"clipvalue": 0.4731943},
    {"weight_decay": 0.0371843},
    {"weight_decay": 0.9371843, "learning_rate": 0.9173846},
    {"use_ema": True, "ema_momentum": 0.7319643, "ema_overwrite_frequency": 3},
    {"decay": 0.3719465},
    {"loss_scale_factor": 3.719465},
    {"loss_scale_factor": 0.1372846},
    {"gradient_accumulation_steps": 3},
]
PIPELINE: list[Document] = [{"clipnorm": 0.5}, {"global_clipnorm": 0.5}, {"weight_decay": 0.5}, EMA, {"decay": 0.5}]


def graph_cases(edition: str, optimizer: str) -> Iterator[Case]:
    """Pairs of a slug and a case without id, edition and clauses."""
    make = Maker(edition, optimizer)
    configs: list[Document] = [{}, *options(edition, optimizer)]
    if optimizer == "SGD":
        configs += [config for config in (*PIPELINE, *OF_ALL_DIGITS) if set(config) <= make.takes]
    for config in configs:
        case = make.case(config, lambda s: s.many(STEPS), shapes=SHAPES)
        yield f"graph-{slug(config) or 'defaults'}", {**case, "features": ["graph"], "mode": "graph"}
    for config in [{}, *options(edition, optimizer)]:
        case = make.case(config, lambda s: s.many(STEPS), shapes=PACKETS)
        for variable in case["variables"]:  # beside a weight of 0 every bit of the update is seen
            variable["value"]["values"] = [0.0] * len(variable["value"]["values"])
        marks = {"features": ["graph"], "flags": ["starts-at-zero"], "mode": "graph"}
        yield f"graph-{slug(config) or 'defaults'}+starts-at-zero", {**case, **marks}
    if optimizer == "SGD":
        yield from with_schedules(make)
        yield from with_constraints(make)
    if optimizer in FAINT:
        name, factor = FAINT[optimizer]
        case = faint(make.case({}, lambda s: s.many(STEPS), shapes=SHAPES), factor)
        yield f"graph-first-gradient-{name}", {**case, "features": ["graph"], "mode": "graph"}
    if optimizer in ("SGD", "Adam", "Nadam"):
        case = make.case({}, some_without)
        yield "graph-none", {**case, "features": ["graph", "none"], "mode": "graph"}
    yield from with_rows_and_digits(edition, optimizer)
    dtypes = dtypes_of(edition, optimizer)
    for dtype in dtypes[1:]:
        yield from of_dtype(make, dtype)
    for dtype in dtypes if optimizer == "SGD" else ():
        for config in OF_ALL_DIGITS:
            if set(config) <= make.takes:
                yield from with_all_digits(make, config, dtype)
    yield from of_one_optimizer(make)


def varied_graph_cases(edition: str, optimizer: str) -> Iterator[Case]:
    """Those of them that the properties play: of other dtypes than float32, of editions much alike those of one."""
    for name, case in graph_cases(edition, optimizer):
        if not name.endswith(("float16", "float64")) or stands_for_others(edition, optimizer, name):
            yield name, case


def of_dtype(make: Maker, dtype: str) -> Iterator[Case]:
    """What asks for each rule, in another dtype than float32."""
    edition, optimizer = make.edition, make.optimizer
    for config in [{}, *configs_of_variants(optimizer, edition), *VARIANTS.get(optimizer, [])]:
        name = slug(config) or "defaults"
        rows = rows_of(edition, optimizer, config, dtype)
        rows["events"] = steps_of(random.Random(f"rows in a graph {optimizer}"), shapes_of(rows), THREE_ROWS, dtype)
        yield f"graph-sparse-{name}-{dtype}", {**rows, "features": ["graph", *rows["features"]], "mode": "graph"}
        if optimizer in ESTIMATED:
            yield f"graph-sparse-{name}+starts-at-zero-{dtype}", of_wide_rows(rows, THREE_ROWS[:2])
        yield from with_all_digits(make, config, dtype)


def with_all_digits(make: Maker, config: Document, dtype: str) -> Iterator[Case]:
    """Weights, gradients and arguments of all digits; and whole packets of weights of 0."""
    given, name = {**of_all_digits(make.edition, make.optimizer), **config}, slug(config) or "defaults"
    case = precise(make.optimizer, given, dtype)
    yield f"graph-{name}+all-digits-{dtype}", {**case, "features": ["graph"], "mode": "graph"}
    case = from_zero(make.case(given, lambda s: s.many(2), shapes=PACKETS, dtype=dtype))
    yield f"graph-{name}+starts-at-zero-{dtype}", {**case, "features": ["graph"], "mode": "graph"}


def with_rows_and_digits(edition: str, optimizer: str) -> Iterator[Case]:
    """What asks for each rule, with sparse and with dense gradients, all of them with all digits."""
    for config in ({}, *configs_of_variants(optimizer, edition), *VARIANTS.get(optimizer, [])):
        name = slug(config) or "defaults"
        rows = rows_of(edition, optimizer, config, "float32")
        features = ["graph", *rows["features"]]
        rows["events"] = steps_of(random.Random(f"rows in a graph {optimizer}"), shapes_of(rows), THREE_ROWS, "float32")
        yield f"graph-sparse-{name}", {**rows, "features": features, "mode": "graph"}
        if optimizer in ESTIMATED:
            steps = THREE_ROWS if optimizer == "Adafactor" else THREE_ROWS[:2]
            yield f"graph-sparse-{name}+starts-at-zero", of_wide_rows(rows, steps)
        case = precise(optimizer, {**of_all_digits(edition, optimizer), **config}, "float32")
        yield f"graph-{name}+all-digits", {**case, "features": ["graph"], "mode": "graph"}


def of_one_optimizer(make: Maker) -> Iterator[Case]:
    """What only one rule asks for: thresholds, norms, sides."""
    if make.optimizer == "Adafactor":
        for threshold in (0.2834642, 0.7319643):
            given = {"learning_rate": 1.0, "clip_threshold": threshold}
            clipped = from_zero(make.case(given, lambda s: s.many(8), shapes=PACKETS))
            yield f"graph-{slug(given)}", {**clipped, "features": ["graph"], "mode": "graph"}
        case = make.case({}, lambda s: s.many(STEPS), shapes=SHAPES, dtype="float16")
        yield "graph-defaults-float16", {**case, "features": ["graph"], "mode": "graph"}
    if make.optimizer == "Lamb":
        rows = rows_of(make.edition, "Lamb", {}, "float32")
        yield "graph-sparse-norms-of-0-and-small-ones", of_small_norms(rows)
    if make.optimizer == "Muon":
        case = make.case({}, lambda s: s.many(STEPS), shapes=SIDES)
        yield "graph-tall-and-square", {**case, "features": ["graph"], "mode": "graph"}
        for shape in OBLONG:
            case = make.case({}, lambda s: s.many(STEPS), shapes={"kernel": shape})
            yield f"graph-{shape[0]}-by-{shape[1]}", {**case, "features": ["graph"], "mode": "graph"}
    if make.optimizer == "Nadam":
        case = make.case({}, one_after_the_other)
        yield "graph-none-of-each", {**case, "features": ["graph", "none"], "mode": "graph"}
    if make.optimizer == "Adam":
        rows = rows_of(make.edition, "Adam", {"amsgrad": True}, "float32")
        rows["events"] = steps_of(random.Random("rows of NaN"), shapes_of(rows), THREE_ROWS, "float32")
        rows["events"][1]["attempt"]["apply"][0]["values"]["values"][2] = "NaN"
        yield "graph-sparse-amsgrad+nan", {**rows, "features": ["graph", *rows["features"]], "mode": "graph"}


def with_schedules(make: Maker) -> Iterator[Case]:
    """A rate of each schedule, with all digits and a length whose reciprocal tells; each option once more."""
    for name in schedules.available(make.edition):
        own = {entry["name"]: entry for entry in schedules.arguments(name, make.edition)}
        usual = {argument: entry["usual"] for argument, entry in own.items() if "usual" in entry}
        told = {argument: given for argument, given in TOLD.items() if argument in own}
        for option in ({}, *turned(own)) if "random" not in schedules.schedules()[name] else ():
            rate = {"class_name": name, "config": {**usual, **of_numbers(own), **told, **option}}
            case = make.case({"learning_rate": rate, "momentum": 0.0}, to_the_third_end, shapes={"bias": (4,)})
            called = f"graph-{name.lower()}{'+' * bool(option)}{slug(option)}"
            yield called, {**from_zero(case), "features": ["graph", "schedules"], "mode": "graph"}
    if make.edition == "keras3":  # Keras 2 refuses such rates, or such schedules of them in a graph
        yield from of_wide_rates(make)


def of_wide_rates(make: Maker) -> Iterator[Case]:
    """A rate of float64 of each schedule that goes on by whole lengths, to float64 variables."""
    for name, option in (
        ("ExponentialDecay", "staircase"),
        ("InverseTimeDecay", "staircase"),
        ("PolynomialDecay", "cycle"),
    ):
        own = {entry["name"]: entry for entry in schedules.arguments(name, make.edition)}
        usual = {argument: entry["usual"] for argument, entry in own.items() if "usual" in entry}
        initial = {"dtype": "float64", "value": 0.1372846}
        told = {**of_numbers(own), "initial_learning_rate": initial, "decay_steps": 91, option: True}
        rate = {"class_name": name, "config": {**usual, **told}}
        given = {"learning_rate": rate, "momentum": 0.0}
        case = make.case(given, to_the_third_end_of_91, shapes={"bias": (4,)}, dtype="float64")
        wide = {**from_zero(case), "features": ["graph", "schedules"], "mode": "graph"}
        yield f"graph-{name.lower()}+{option}-of-float64", wide


def to_the_third_end_of_91(s: Steps) -> list[Document]:
    """Steps around 273, which times the reciprocal of 91 is a little more than 3."""
    return [*s.many(2), {"set_iterations": 90}, *s.many(3), {"set_iterations": 272}, *s.many(3)]


def to_the_third_end(s: Steps) -> list[Document]:
    """Steps over the first end, around 21, that times the reciprocal of 7 is a little more than 3, and around 41."""
    return [*s.many(10), {"set_iterations": 20}, *s.many(3), {"set_iterations": 40}, *s.many(3)]


def turned(own: dict[str, Document]) -> Iterator[Document]:
    """What asks for another branch of a schedule."""
    yield from ({name: not entry["default"]} for name, entry in own.items() if entry["type"] == "bool")
    yield from (option for option in BRANCHES if set(option) <= set(own))


def of_numbers(own: dict[str, Document]) -> Document:
    """Every number of a schedule but its steps, a little nearer to 0 than its first sample that is none."""
    samples = {name: [x for x in entry["samples"] if x] for name, entry in own.items() if entry["type"] == "float"}
    return {name: found[0] * 0.9372846 for name, found in samples.items() if found and "steps" not in name}


def with_constraints(make: Maker) -> Iterator[Case]:
    """Each constraint on both variables."""
    for name, constraint in CONSTRAINTS.items():
        both = [constraint, None if "axis" in constraint["config"] else constraint]
        case = make.case({}, lambda s: s.many(3), shapes=PACKETS, constraints=both)
        features = ["graph", "constraints"]
        yield f"graph-{name}", {**case, "features": features, "flags": ["constraint"], "mode": "graph"}


def shapes_of(case: Document) -> list[Shape]:
    """The shapes of a case's variables."""
    return [tuple(variable["value"]["shape"]) for variable in case["variables"]]


def of_wide_rows(case: Document, steps: Sequence[Sequence[int]]) -> Document:
    """Rows that make whole packets, of weights of 0."""
    stream = random.Random(f"wide rows in a graph {case['optimizer']['class_name']}")
    dtype = case["variables"][0]["value"]["dtype"]
    value = {"dtype": dtype, "shape": list(WIDE_ROWS), "values": [0.0] * math.prod(WIDE_ROWS)}
    return {
        **case,
        "features": ["graph", *case["features"]],
        "flags": [*case["flags"], "starts-at-zero"],
        "variables": [{"name": "kernel", "value": value}],
        "events": steps_of(stream, [WIDE_ROWS], steps, dtype),
        "mode": "graph",
    }


def of_small_norms(case: Document) -> Document:
    """Four variables: of no norm, of a small one, without a gradient to speak of, and with a small one."""
    (variable,) = case["variables"]
    (rows,) = case["events"][0]["attempt"]["apply"]
    variables = [
        {**variable, "name": f"kernel_{n}", "value": scaled(variable["value"], factor)}
        for n, factor in enumerate(FACTORS)
    ]
    given = [{**rows, "values": scaled(rows["values"], factor)} for factor in reversed(FACTORS)]
    marks = {"features": ["graph", *case["features"]], "mode": "graph"}
    return {**case, **marks, "variables": variables, "events": [attempt({"apply": given})] * 3}


def scaled(tensor: Document, factor: float) -> Document:
    """A tensor times a number."""
    return {**tensor, "values": [float(np.float32(x * factor)) for x in tensor["values"]]}


def some_without(s: Steps) -> list[Document]:
    """Steps in which the first variable, or the second, has no gradient."""
    return [s.apply(), s.apply(without=[0]), s.apply(without=[1]), s.apply(without=[0]), s.apply()]


def one_after_the_other(s: Steps) -> list[Document]:
    """Steps in which the first variable has no gradient, then the second, then none is without."""
    return [s.apply(without=[0]), s.apply(without=[1]), s.apply(without=[0]), s.apply(), s.apply(without=[1])]


def options(edition: str, optimizer: str) -> Iterator[Document]:
    """Each switch turned, and each number that is 0 or None by default set to its first sample."""
    for name, entry in spec.hyperparameters(optimizer, edition).items():
        if entry["type"] == "bool":
            yield {name: not entry["default"]}
        elif not entry["default"] and entry["samples"] and entry["type"] in ("float", "int"):
            yield {name: entry["samples"][0]}
    yield from VARIANTS.get(optimizer, [])
