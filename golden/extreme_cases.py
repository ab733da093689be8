"""Cases in which numbers leave what their dtype holds, one after the other, and options that are 0.

Squares overflow or vanish and then the gradients are usual again, rows of zeros are given, infinity meets infinity,
and the count of the steps reaches where it is no longer exact, or infinite.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from goldenstep import spec

from .drawing import Document, Shape, dtypes_of, features_of, from_zero, slug, typed
from .lifecycle_cases import Case, Maker, Steps, attempt
from .remote_cases import divided, numbers, of_all_digits, stands_for_others, steps_of
from .sparse_cases import configs_of_variants

SHAPE: Shape = (3, 2)
FACTORS = {
    "float32": {"usual": 1.0, "large": 1e20, "small": 1e-25},
    "float16": {"usual": 1.0, "large": 400.0, "small": 1e-5},
}
"""What variables and gradients are multiplied by: the square of a large number is infinite, of a small one 0."""
COUNTS = {"float32": (2**24 - 1,), "float16": (2047, 65518)}
"""Iterations after which one step more rounds to the same number, or to infinity."""
ROWS = ([0, 2], [2, 1, 2], [0, 1], [1, 2])
"""Rows of which the first in the third step is of zeros; the first row then rests."""
THREE_ROWS = ([0, 2, 2], [2, 1, 2], [0, 1, 1], [1, 2, 2])
"""The same with as many rows each time, as another number would make another graph."""
REFUSING = {"keras3": ("Muon", "RMSprop", "ScheduleFreeAdamW")}
"""Where a division of rows is refused, and by whom beyond float32: a graph then leaves whatever of it ran first."""
STACK: Shape = (4, 3, 5)
TWO: dict[str, Shape] = {"kernel": (3, 2), "bias": (3,)}
LINE: dict[str, Shape] = {"bias": (8,)}
HELD: Document = {"MaxNorm": {"max_value": 0.75}, "UnitNorm": {}, "MinMaxNorm": {"min_value": 0.5, "max_value": 0.75}}
OF_DOUBLES: Document = {
    "class_name": "ExponentialDecay",
    "config": {"initial_learning_rate": {"dtype": "float64", "value": 0.1372846}, "decay_steps": 2, "decay_rate": 0.37},
}
RATE = ["learning_rate"]
"""What implementations need to claim of which rate, count or options are assigned."""
BETWEEN = (1 + 2**-11 + 2**-30, 1 + 3 * 2**-11 - 2**-30, 0.1, 6e-8 - 2**-60)
"""Doubles that float32 rounds to the middle between two halves, on either side of it, and others."""


def extreme_cases(edition: str, optimizer: str) -> Iterator[Case]:
    """Pairs of a slug and a case without id, edition and clauses."""
    make = Maker(edition, optimizer)
    for config in ({}, *configs_of_variants(optimizer, edition)):
        for dtype in FACTORS:
            if dtype in dtypes_of(edition, optimizer):
                name = "+".join(filter(None, (slug(config), f"out-of-{dtype}")))
                yield name, beyond(edition, optimizer, config, dtype)
                yield f"sparse-{name}", beyond(edition, optimizer, config, dtype, ROWS)
                if optimizer != "Muon":  # whose rate a graph multiplies in an order that changes with the graph
                    yield f"graph-{name}", in_a_graph(beyond(edition, optimizer, config, dtype))
                if optimizer not in REFUSING.get(edition, ()):
                    yield f"graph-sparse-{name}", in_a_graph(beyond(edition, optimizer, config, dtype, THREE_ROWS))
    for name, case in divided(edition, optimizer) if edition not in REFUSING else ():
        yield f"graph-{name}", in_a_graph(case)
    own = spec.hyperparameters(optimizer, edition)
    for option in sorted(name for name, entry in own.items() if may_be_zero(entry) and name != "learning_rate"):
        yield f"{option}=0.0+all-digits", make.case({option: 0.0}, lambda s: s.many(4))
    if optimizer == "Nadam" and make.legacy:
        yield "schedule_decay=0.0+all-digits", make.case({"schedule_decay": 0.0}, lambda s: s.many(4))
    yield from assigned(make)
    if "float64" in dtypes_of(edition, optimizer):
        yield "far-steps-of-doubles", from_zero(make.case({}, far_doubles, RATE, shapes=LINE, dtype="float64"))
    if "float16" in dtypes_of(edition, optimizer):
        yield from of_halves(make, own)
    if optimizer == "SGD":
        yield from of_the_pipeline(make)
    if optimizer in ("SGD", "Adam") and edition in ("tf2.12", "tf2.15"):
        yield from counted_anew(make)
    if optimizer in ("Adafactor", "Muon", "Lamb"):
        yield "sparse-stack-of-matrices", rows_of_one(make, {}, random.Random("stack"), STACK, of_a_stack())
    if optimizer == "RMSprop":
        for momentum in (0.0, 0.5):
            yield f"sparse-centered+momentum={momentum}+alike", alike(make, momentum)
    if optimizer == "Lion":
        for dtype in ("float32", "float16"):
            name = "sums-that-vanish" if dtype == "float32" else f"sums-that-vanish-{dtype}"
            yield name, vanishing(make, dtype)
            yield f"sparse-{name}", as_rows(vanishing(make, dtype))
    if optimizer in ("Muon", "Adafactor"):  # which have another rule for vectors
        for dtype in ("float32", "float16"):
            rows = from_zero(as_rows(make.case({}, lambda s: s.many(6), shapes=LINE, dtype=dtype)))
            yield f"sparse-vector-{dtype}", rows
            yield f"graph-sparse-vector-{dtype}", {**rows, "features": ["graph", *rows["features"]], "mode": "graph"}
    if optimizer == "Adafactor" and "float16" in dtypes_of(edition, optimizer):
        yield "sparse-2061-numbers-float16", many_rows(make)
        yield "graph-sparse-all-rows-float16", in_a_graph(all_rows(make))
        if edition not in REFUSING:
            yield "graph-sparse-2061-numbers-float16", in_a_graph(many_rows(make))


def varied_extreme_cases(edition: str, optimizer: str) -> Iterator[Case]:
    """Those of them that the properties play: of what all optimizers have, one of each family."""
    for name, case in extreme_cases(edition, optimizer):
        common = name.endswith(("out-of-float32", "out-of-float16", "options-set-in-turn", "far-steps-of-halves"))
        if not common or stands_for_others(edition, optimizer, name):
            yield name, case


def of_halves(make: Maker, own: Document) -> Iterator[Case]:
    """Counts that float16 rounds, from a start at 0; an epsilon that it rounds to 0, and gradients of 0."""
    far = attempt({"set_iterations": 2047})
    yield "far-steps-of-halves", from_zero(make.case({}, far_halves, RATE, shapes=LINE, dtype="float16"))
    for config in ({}, {"beta_1": 0.9999}) if make.optimizer == "ScheduleFreeAdamW" else ({},):
        rows = rows_of_one(make, config, random.Random("far rows"), (8, 3), far_rows(), "float16")
        yield f"{'+'.join(filter(None, ['sparse', slug(config)]))}-far-steps-of-halves", from_zero(rows)
    for option in ("epsilon", "epsilon_1"):
        if option in own:
            case = make.case({option: 1e-10}, lambda s: [*map(attempt, s.many(3))], shapes=LINE, dtype="float16")
            case["events"][0]["attempt"]["apply"][0][::2] = [0.0] * 4
            yield f"{option}-rounds-to-zero-float16", case
            yield f"graph-{option}-rounds-to-zero-float16", in_a_graph(case)
    if make.optimizer == "ScheduleFreeAdamW":
        warm = make.case(
            {"warmup_steps": 3001}, lambda s: [s.apply(), far, *s.many(6)], RATE, shapes=LINE, dtype="float16"
        )
        yield "far-steps-of-halves+warmup_steps=3001", from_zero(warm)
    if make.kind == "legacy" and make.optimizer == "SGD":
        for dtype, count in (("float16", 2047), ("float32", 2**24)):
            falling = {"learning_rate": 1.372846, "decay": 0.3719465 if dtype == "float16" else 1.372846e-7}
            further = attempt({"set_iterations": count})
            case = make.case(falling, lambda s: [s.apply(), further, *s.many(6)], RATE, shapes=LINE, dtype=dtype)  # noqa: B023
            yield f"decay+far-steps-{dtype}", from_zero(case)


def in_a_graph(case: Document) -> Document:
    """The case inside a graph, without steps at other counts."""
    steps = [event for event in case["events"] if "apply" in event["attempt"]]
    features = [feature for feature in case["features"] if feature not in ("dense", *RATE)]
    return {**case, "features": ["graph", *features], "mode": "graph", "events": steps[:4]}


def far_halves(s: Steps) -> list[Document]:
    """Steps at counts that float16 rounds, and at some of those that show it in a power of 0.999."""
    counts = (2047, 2068, 2076, 2082, 2090, 2162)
    jumps = [[attempt({"set_iterations": count}), attempt(s.apply())] for count in counts]
    return [s.apply(), *itertools.chain.from_iterable(jumps), attempt(s.apply())]


def far_doubles(s: Steps) -> list[Document]:
    """Steps at counts where a power of 0.9 or of 0.999 is all but lost beside 1, in float64 too or only in float32."""
    jumps = [[attempt({"set_iterations": count}), attempt(s.apply())] for count in (172, 231, 299, 17900, 20000, 34000)]
    return [s.apply(), *itertools.chain.from_iterable(jumps)]


def far_rows() -> list[Document]:
    """Steps of other rows each, at counts that float16 rounds down, up, or not."""
    stream = random.Random("far rows of halves")
    counts = (0, 2050, 2052, 2054, 3002, 4100, 5001, 9990)
    steps = steps_of(stream, [(8, 3)], [[row] for row in range(8)], "float16")
    return [
        event for count, step in zip(counts, steps, strict=True) for event in (attempt({"set_iterations": count}), step)
    ]


def of_the_pipeline(make: Maker) -> Iterator[Case]:
    """Norms of halves that overflow or vanish, doubles that are rounded twice, zeros and denormals accumulated."""
    for name, factor in FACTORS["float16"].items():
        for kind in ("clipnorm", "global_clipnorm"):
            case = make.case({kind: 0.4731943}, lambda s: s.many(2), shapes=TWO, dtype="float16")
            yield f"{kind}+{name}-float16", times(case, factor)
        for constraint in HELD:
            held = [{"class_name": constraint, "config": HELD[constraint]}]
            case = make.case({}, lambda s: s.many(2), ["constraints"], ["constraint"], TWO, held, "float16")
            yield f"{constraint.lower()}+{name}-float16", times(case, factor)
    case = make.case(
        {"momentum": 0.0, "learning_rate": 1.0}, lambda s: s.many(1), ["errors"], shapes=LINE, dtype="float16"
    )
    values = {"dtype": "float64", "shape": [8], "values": [sign * x for x in BETWEEN for sign in (1.0, -1.0)]}
    yield "doubles-between-halves", {**from_zero(case), "events": [attempt({"apply": [values]})]}
    for name, factor in (("large", 1e20), ("small", 1e-25)):
        for kind in ("clipnorm", "global_clipnorm"):
            case = make.case({kind: 0.4731943}, lambda s: s.many(2), shapes={"scale": (), "single": (1,)})
            yield f"{kind}+{name}-single-numbers", times(case, factor)
    for dtype in ("float16", "float64") if "use_ema" in make.takes else ():
        averaged: Document = {"use_ema": True, "ema_momentum": 0.9871643, "ema_overwrite_frequency": 3}
        yield f"use_ema+all-digits-{dtype}", make.case(averaged, lambda s: s.many(4), shapes=LINE, dtype=dtype)
    if "gradient_accumulation_steps" in make.takes:
        for dtype, tiny in (("float32", 1e-40), ("float64", 1e-310)):
            given = {"gradient_accumulation_steps": 2, "momentum": 0.0, "learning_rate": 1.0}
            case = make.case(given, lambda s: s.many(4), shapes=LINE, dtype=dtype)
            for event in case["events"][:2]:
                event["apply"] = [[-0.0, tiny, -tiny, 0.0, -0.0, -0.0, 1.0, tiny]]
            yield f"gradient_accumulation_steps=2+zeros-and-denormals-{dtype}", from_zero(case)
        nothing, something = (attempt({"set": {"momentum": number}}) for number in (None, 0.75))
        given = {"gradient_accumulation_steps": 2}
        refused = lambda s: [*s.many(3), nothing, attempt(s.apply()), something, *s.many(3)]  # noqa: E731
        yield "gradient_accumulation_steps=2+refused-update", make.case(given, refused, ["errors"], shapes=LINE)
    falling: Document = {"learning_rate": {"callable": [0.1372846, 0.0371946, 0.3, 0.01, 0.2, 0.02]}}
    for dtype in ("float64", "float16"):
        case = make.case(falling, lambda s: s.many(3), RATE, shapes=LINE, dtype=dtype)
        yield f"learning_rate-is-a-function-{dtype}", case
    if "weight_decay" in make.takes:
        for dtype in ("float32", "float64"):
            decaying: Document = {"learning_rate": OF_DOUBLES, "weight_decay": 0.3719465}
            case = make.case(decaying, lambda s: [*map(attempt, s.many(3))], ["errors"], shapes=LINE, dtype=dtype)
            yield f"schedule-of-float64+weight_decay-{dtype}", case


def assigned(make: Maker) -> Iterator[Case]:
    """Rows, before and after each option in turn gets another value."""
    own = spec.hyperparameters(make.optimizer, make.edition)
    options = [name for name, entry in own.items() if entry["type"] == "float" and name != "learning_rate"]
    stream = random.Random(f"assigned {make.optimizer}")
    played = steps_of(stream, [SHAPE], [[0, 2]], "float32")
    for name in options:
        other = next(x for x in own[name]["samples"] if x != own[name]["default"])
        played += [attempt({"set": {name: other}}), *steps_of(stream, [SHAPE], [[2, 1]], "float32")]
    if options:
        yield "sparse-options-set-in-turn", rows_of_one(make, {}, stream, SHAPE, played)


def counted_anew(make: Maker) -> Iterator[Case]:
    """A counter that replaces the first before the first step: by it go a schedule, and averages that overwrite."""
    configs: dict[str, Document] = {
        "schedule": {"learning_rate": OF_DOUBLES},
        "ema_overwrite_frequency=3": {"use_ema": True, "ema_momentum": 0.75, "ema_overwrite_frequency": 3},
    }
    for name, config in configs.items():
        events = lambda s: [{"set": {"iterations": 4}}, *s.many(5)]  # noqa: E731
        yield f"{name}+another-counter", make.case(config, events, RATE, shapes=LINE)


def of_a_stack() -> list[Document]:
    """Steps of rows that are matrices, some of them twice."""
    return steps_of(random.Random("rows of a stack"), [STACK], [[0, 2], [2, 1, 2], [3]], "float32")


def alike(make: Maker, momentum: float) -> Document:
    """Rows of the same large numbers in each step: rounding makes the variance negative."""
    stream = random.Random("alike")
    shape = (7, 5)
    (step,) = steps_of(stream, [shape], [range(7)], "float32")
    values = step["attempt"]["apply"][0]["values"]
    values["values"] = typed([x * 100 for x in values["values"]], "float32")
    config = {"centered": True, "rho": 0.25, "momentum": momentum}
    return rows_of_one(make, config, stream, shape, [step] * 16)


def many_rows(make: Maker) -> Document:
    """Rows of a variable of more numbers than float16 counts."""
    stream, shape = random.Random("many rows"), (687, 3)
    played = steps_of(stream, [shape], [[5, 2, 5]], "float16")
    return rows_of_one(make, {"clip_threshold": 0.01}, stream, shape, played, "float16")


def all_rows(make: Maker) -> Document:
    """All rows of a variable, so many numbers that float16 shows in what order their squares are summed."""
    stream, shape = random.Random("all rows"), (13, 37)
    played = steps_of(stream, [shape], [range(13)] * 3, "float16")
    return rows_of_one(make, {"clip_threshold": 0.01}, stream, shape, played, "float16")


def rows_of_one(
    make: Maker, config: Document, stream: random.Random, shape: Shape, events: list[Document], dtype: str = "float32"
) -> Document:
    """A case of one variable and these steps of its rows."""
    set_between = RATE if any({"set", "set_iterations"} & set(event["attempt"]) for event in events) else []
    flags = ["duplicate-indices", "untouched-rows"]
    case = make.case(config, lambda s: events, ["sparse", *set_between], flags, {"kernel": shape})
    value = {"dtype": dtype, "shape": list(shape), "values": numbers(stream, shape, dtype)}
    features = [feature for feature in case["features"] if feature != "dense"]
    return {**case, "features": features, "variables": [{"name": "kernel", "value": value}]}


def vanishing(make: Maker, dtype: str) -> Document:
    """Second gradients for which the two products that Lion adds are the same but for their sign."""
    number = np.dtype(dtype).type
    stream, b1, b2 = random.Random("vanishing"), number(0.9), number(0.99)
    first, second = list[float](), list[float]()
    while len(first) < LINE["bias"][0]:
        g = number(stream.gauss(0, 1))
        kept = g * (1 - b2) * b1
        for other in (-kept / (1 - b1) + k * np.spacing(kept / (1 - b1)) for k in range(-8, 9)):
            exact = float(g * (1 - b2)) * float(b1) + float(other) * float(1 - b1)
            if kept + number(other) * (1 - b1) == 0 and exact:
                first, second = [*first, float(g)], [*second, float(other)]
                break
    case = make.case({"beta_1": 0.9, "beta_2": 0.99}, lambda s: s.many(2), shapes=LINE, dtype=dtype)
    case["events"] = [{"apply": [typed(g, dtype)]} for g in (first, second)]
    return from_zero(case)


def as_rows(case: Document) -> Document:
    """The case with each gradient of a vector given as rows, all of them in another order."""
    dtype, length = case["variables"][0]["value"]["dtype"], LINE["bias"][0]
    order = list(range(length))[::-1]

    def rows(values: list[Any]) -> Document:
        return {"indices": order, "values": {"dtype": dtype, "shape": [length], "values": [values[i] for i in order]}}

    events = [{"apply": [rows(gradient) for gradient in event["apply"]]} for event in case["events"]]
    features = ["sparse", *(feature for feature in case["features"] if feature != "dense")]
    return {**case, "features": features, "events": events}


def times(case: Document, factor: float) -> Document:
    """The case with weights and gradients that are larger by this factor."""
    for variable in case["variables"]:
        dtype = variable["value"]["dtype"]
        variable["value"]["values"] = typed([x * factor for x in variable["value"]["values"]], dtype)
    for event in case["events"]:
        event["apply"] = [typed([x * factor for x in g], dtype) for g in event["apply"]]
    return case


def may_be_zero(entry: Document) -> bool:
    """Is 0 a value of the hyperparameter, and no other case gives it?"""
    return entry["type"] == "float" and entry.get("minimum") == 0 and 0 not in (entry["default"], *entry["samples"])


def beyond(
    edition: str, optimizer: str, config: Document, dtype: str, patterns: Sequence[Sequence[int] | None] = (None,) * 4
) -> Document:
    """Usual, large and small variables, whose gradients are as they are first, and usual then; far steps at the end."""
    given = {**of_all_digits(edition, optimizer), **config}
    stream = random.Random(f"extreme {optimizer} {sorted(config.items())} {dtype}")
    factors = FACTORS[dtype]

    def gradients(pattern: Sequence[int] | None, factors: Sequence[float], last: Any = None) -> Document:
        """A step with gradients of these sizes; the last number of the first of them may be another."""
        shape = SHAPE if pattern is None else (len(pattern), *SHAPE[1:])
        values = [sized(stream, shape, dtype, factor) for factor in factors]
        values[0][-1] = values[0][-1] if last is None else last
        if pattern is None:
            return attempt({"apply": values})
        tensors = [{"dtype": dtype, "shape": list(shape), "values": v} for v in values]
        return attempt({"apply": [{"indices": list(pattern), "values": tensor} for tensor in tensors]})

    sizes, usual = list(factors.values()), [1.0] * len(factors)
    played = [
        gradients(patterns[0], sizes, "Infinity"),
        gradients(patterns[1], sizes, "Infinity"),
        with_zeros(gradients(patterns[2], usual)),
        gradients(patterns[3], usual),
    ]
    for count in COUNTS[dtype]:
        played += [attempt({"set_iterations": count}), *(gradients(pattern, usual) for pattern in patterns[:2])]
    rows = patterns[0] is not None
    return {
        "features": ["sparse" if rows else "dense", "learning_rate", *features_of(given)],
        "flags": [*(["duplicate-indices", "untouched-rows"] if rows else []), "goes-on-after-an-error", "overwritten"],
        "optimizer": {"class_name": optimizer, "config": given},
        "variables": [
            {"name": name, "value": {"dtype": dtype, "shape": list(SHAPE), "values": sized(stream, SHAPE, dtype, x)}}
            for name, x in factors.items()
        ],
        "events": played,
    }


def with_zeros(event: Document) -> Document:
    """The step with gradients whose first row is of zeros."""
    for gradient in event["attempt"]["apply"]:
        values = gradient if isinstance(gradient, list) else gradient["values"]["values"]
        values[: SHAPE[1]] = [0.0] * SHAPE[1]
    return event


def sized(stream: random.Random, shape: Shape, dtype: str, factor: float) -> list[Any]:
    """Normally distributed numbers that are not cut, of this size."""
    return typed([stream.gauss(0, 1) * factor for _ in range(math.prod(shape))], dtype)
