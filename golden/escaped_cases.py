"""Cases that mistakes escaped: sums of long rows, numbers at the ends of a dtype, variables in another order.

Found by wrong implementations made by eyes that had not seen the others (tests/wrong/subtle_escaped.py); each is of
the optimizers that can make the mistake.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from .drawing import Document, Shape, dtypes_of, from_zero, slug, typed
from .lifecycle_cases import CONSTRAINTS, Case, Maker, attempt
from .overwriting_cases import overwriting_cases
from .remote_cases import rows_of, stands_for_others, steps_of

LENGTHS = {"float32": (8301,), "float64": (4203,), "float16": (1701, 1811, 2051)}
"""Beyond 1024 packets a sum is cut in two, of float16 beyond 200; none is a whole number of packets."""
APART = 13
"""One number of so many is not 0: enough to tell how they are added up."""
OVERFLOWING = {"float32": 2e19, "float64": 1.5e154}
"""Numbers whose square is infinite, and half of it is not."""
DENORMAL = ((1e-40, "float32"), (1e-40, "float64"), (1e-310, "float64"))
"""Rates that may be read as 0, though a huge gradient would make something of them."""
TINY = {"float32": 1e-20, "float64": 1e-160}
"""Numbers whose squares are denormal, or 0."""
ONE: dict[str, Shape] = {"kernel": (2, 2)}
TWO_ALIKE: dict[str, Shape] = {"one": (3,), "other": (3,)}
ZEROS = {"first": 6, "second": 11}
"""Float64 packets have 4 numbers: one of them and a rest, and two of them and a rest."""
FALLING: Document = {"initial_learning_rate": 0.1, "decay_steps": 2, "decay_rate": 0.5}
SCHEDULE: Document = {
    "class_name": "PiecewiseConstantDecay",
    "config": {"boundaries": [1, 2], "values": [0.7, 0.3, 0.2]},
}
NESTEROV: Document = {"nesterov": True}
BOTH_ZEROS = (0.0, -0.0, 0.5, -0.5)


def escaped_cases(edition: str, optimizer: str) -> Iterator[Case]:
    """Pairs of a slug and a case without id, edition and clauses."""
    make = Maker(edition, optimizer)
    dtypes = dtypes_of(edition, optimizer)
    for dtype in TINY:
        if dtype in dtypes:
            yield f"tiny-scalar-{dtype}", scaled(make.case({}, lambda s: s.many(3), shapes={"scale": ()}, dtype=dtype))
    if optimizer == "SGD":
        yield from of_the_pipeline(make)
    if optimizer == "Adafactor":
        yield from of_factors(make)
    if optimizer == "Adagrad":
        yield "sparse-many-rows-of-one-number", of_one_number(edition, optimizer)
    if optimizer == "Nadam" and make.legacy:
        far = attempt({"set_iterations": 2047})
        case = make.case({}, lambda s: [s.apply(), far, *s.many(3)], ["learning_rate"], shapes=ONE, dtype="float16")
        yield "after-2047-steps-float16", case
    if optimizer == "ScheduleFreeAdamW":
        for count in (7, 2051):
            case = make.case({"warmup_steps": count}, lambda s: s.many(8), shapes=ONE, dtype="float16")
            yield f"warmup_steps={count}-float16", case
    if optimizer == "Muon":
        shapes: dict[str, Shape] = {f"kernel_{n}": (2, n) for n in (387, 389, 769, 771)}
        yield "odd-inner-dimensions", short(make.case({"ns_steps": 1}, lambda s: s.many(1), shapes=shapes))


def varied_escaped_cases(edition: str, optimizer: str) -> Iterator[Case]:
    """Those of them that the properties play: not the long ones, and of what all optimizers have one of each family."""
    for name, case in escaped_cases(edition, optimizer):
        common = name.startswith("tiny-scalar") and not stands_for_others(edition, optimizer, name)
        if not common and not any(piece in name for piece in ("-numbers-", "rows-of-8301")):
            yield name, case
    yield from ((name, case) for name, case in overwriting_cases(edition, optimizer) if "other-lengths" in name)


def of_the_pipeline(make: Maker) -> Iterator[Case]:
    """Long sums, and what is at the ends of a dtype, under clipping, averages, constraints and accumulation."""
    for dtype, lengths in LENGTHS.items():
        for length in lengths:
            for kind in ("clipnorm", "global_clipnorm"):
                config = {"learning_rate": 1.0, "momentum": 0.0, kind: 0.4731943}
                case = make.case(config, lambda s: s.many(1), shapes={"bias": (length,)}, dtype=dtype)
                yield f"{kind}+{length}-numbers-{dtype}", few(from_zero(case))
    for dtype, length in (("float32", 8301), ("float16", 1701)):
        held = [{"class_name": "UnitNorm", "config": {"axis": 1}}]
        shapes: dict[str, Shape] = {"kernel": (2, length)}
        whole = {"learning_rate": 1.0, "momentum": 0.0}
        case = make.case(whole, lambda s: s.many(1), ["constraints"], ["constraint"], shapes, held, dtype)
        yield f"unitnorm+rows-of-{length}-{dtype}", few(from_zero(case))
    for dtype, huge in OVERFLOWING.items():
        case = make.case({"global_clipnorm": 0.5}, lambda s: s.many(2), shapes=TWO_ALIKE, dtype=dtype)
        case["events"][0]["apply"][0][1] = huge
        yield f"global_clipnorm+square-overflows-{dtype}", case
    for dtype in ("float32", "float64"):
        for name, count in ZEROS.items():
            yield f"clipvalue=0.0+weights-of-both-zeros-{dtype}+{name}", zeros(make, count, dtype)
    case = zeros(make, ZEROS["second"], "float32")
    case["optimizer"]["config"].update(NESTEROV)
    yield f"clipvalue=0.0+{slug(NESTEROV)}+weights-of-both-zeros", case
    yield "sparse-weights-of-both-zeros", rows_of_zeros(make, {})
    yield f"sparse-weights-of-both-zeros+{slug(NESTEROV)}", rows_of_zeros(make, NESTEROV)
    rows = rows_of_zeros(make, {"nesterov": True})
    features = ["graph", *rows["features"]]
    yield "graph-sparse-nesterov+weights-of-both-zeros", {**rows, "features": features, "mode": "graph"}
    for rate, dtype in DENORMAL:
        case = make.case(
            {"learning_rate": rate, "momentum": 0.75},
            lambda s: s.many(2),
            ["learning_rate"],
            shapes=TWO_ALIKE,
            dtype=dtype,
        )
        yield f"learning_rate={rate}-{dtype}", enlarged(case, min(1e-3 / rate, 1e307))
    function: Document = {"learning_rate": {"callable": [0.1, 0.03, 0.3, 0.01, 0.2, 0.02]}}
    number, other = ({"set": {"learning_rate": rate}} for rate in (0.5, SCHEDULE))
    first = make.case(function, lambda s: [number, *map(attempt, s.many(3))], ["learning_rate"], shapes=ONE)
    yield "learning_rate-is-a-function+set-before-the-first-step", first
    for before in (0, 1):
        rates = {"learning_rate": {"class_name": "ExponentialDecay", "config": FALLING}}
        case = make.case(rates, lambda s: [*s.many(before), attempt(other), *s.many(2)], ["learning_rate"], shapes=ONE)  # noqa: B023
        yield f"set-another-schedule-after-{before}", case
    odd: list[Document] = [{"clipnorm": 0.0, "global_clipnorm": 0.5}, {"clipvalue": 0.0, "clipnorm": 0.5}]
    for given in odd:
        yield slug(given), make.case(given, lambda s: [*map(attempt, s.many(2))], shapes=ONE)
    yield "name=", make.case({"name": ""}, lambda s: s.many(2), ["paths"], shapes=ONE)
    if "use_ema" in make.takes:
        kept = {"use_ema": True, "ema_momentum": 1.0, "ema_overwrite_frequency": 2}
        yield slug(kept), make.case(kept, lambda s: s.many(3), shapes=ONE)
    if make.kind == "legacy":
        yield "constraint-of-rows-behind-a-step", behind(make)
        falling = {"learning_rate": 0.1372846, "decay": 0.3719465}
        far = {"set_iterations": 301}
        for dtype in ("float16", "float64"):
            steps = make.case(falling, lambda s: [*s.many(8), far, *s.many(4)], shapes=ONE, dtype=dtype)
            yield f"decay=0.3719465+all-digits-{dtype}", steps
    if make.edition != "keras3":
        return
    plain = {"use_ema": True, "ema_momentum": 0.75, "momentum": 0.0}
    averaged = make.case(plain, lambda s: s.many(2), shapes={"bias": (3,)})
    averaged["variables"][0]["value"]["values"] = [-0.0, 0.5, -0.0]
    averaged["events"][0]["apply"] = [[0.0, 0.0, 0.0]]
    yield "use_ema+weights-of-minus-0", averaged
    accumulated = {"gradient_accumulation_steps": 3}
    orders = ((0, 1), (1, 0), (0, 1), (1, 0), (1, 0), (0, 1))
    case = make.case(accumulated, lambda s: [s.apply(order) for order in orders], shapes=TWO_ALIKE)
    yield "gradient_accumulation_steps=3+in-turn", case
    every = {"use_ema": True, "ema_momentum": 0.75}
    yield "use_ema+in-turn", make.case(every, lambda s: [s.apply(order) for order in orders], shapes=TWO_ALIKE)
    for factor in (1e5, 70000.5):
        case = make.case({"loss_scale_factor": factor}, lambda s: s.many(2), shapes=TWO_ALIKE, dtype="float16")
        yield f"loss_scale_factor={factor}-float16", case


def of_factors(make: Maker) -> Iterator[Case]:
    """Means of long rows, of more halves than float16 counts, and of stacks of matrices of halves."""
    for dtype, shape in (("float32", (3, 8301)), ("float16", (5, 1701))):
        case = make.case({}, lambda s: s.many(1), shapes={"kernel": shape}, dtype=dtype)
        yield f"rows-of-{shape[1]}-{dtype}", few(case)
    case = make.case({}, lambda s: s.many(1), shapes={"bias": (2051,)}, dtype="float16")
    yield "2051-numbers-float16", few(case)
    stacks: dict[str, Shape] = {"kernel": (3, 4, 5), "embedding": (2, 3, 2, 7)}
    yield "stacks-float16", make.case({}, lambda s: s.many(2), shapes=stacks, dtype="float16")


def of_one_number(edition: str, optimizer: str) -> Document:
    """Twelve rows of a vector, each of which is a number."""
    case, stream = rows_of(edition, optimizer, {}, "float32"), random.Random("rows of one number")
    value = {"dtype": "float32", "shape": [13], "values": [0.0] * 13}
    steps = steps_of(stream, [(13,)], ([*range(12)], [*range(11, 0, -1)]), "float32")
    return {**case, "variables": [{"name": "bias", "value": value}], "events": steps}


def behind(make: Maker) -> Document:
    """Rows of a variable that must not be negative, behind the gradient of one that may."""
    shapes: dict[str, Shape] = {"bias": (3,), "kernel": (4, 2)}
    case = make.case(
        {}, lambda s: s.many(2), ["constraints", "sparse"], ["constraint"], shapes, [None, CONSTRAINTS["non-negative"]]
    )
    rows = {"indices": [1, 3], "values": {"dtype": "float32", "shape": [2, 2], "values": [0.5, 0.25, -0.5, 1.0]}}
    first, second = case["events"]
    return {**case, "events": [attempt({"apply": [first["apply"][0], rows]}), second]}


def rows_of_zeros(make: Maker, config: Document) -> Document:
    """Rows of both zeros, of weights of both zeros."""
    given = {"learning_rate": 1.0, "momentum": 0.0, **config}
    case = make.case(given, lambda s: s.many(1), ["sparse"], ["starts-at-zero"], {"kernel": (4, 5)})
    case["variables"][0]["value"]["values"] = [-0.0 if i % 3 else 0.0 for i in range(20)]
    values = {"dtype": "float32", "shape": [3, 5], "values": [BOTH_ZEROS[i % 4] for i in range(15)]}
    case["events"] = [{"apply": [{"indices": [2, 0, 3], "values": values}]}]
    return case


def zeros(make: Maker, count: int, dtype: str) -> Document:
    """Weights of both zeros, whose gradients are cut to 0, or are 0 already."""
    config = {"clipvalue": 0.0, "learning_rate": 1.0, "momentum": 0.0}
    case = make.case(config, lambda s: s.many(1), flags=["starts-at-zero"], shapes={"bias": (count,)}, dtype=dtype)
    case["variables"][0]["value"]["values"] = [-0.0 if i % 3 else 0.0 for i in range(count)]
    case["events"] = [{"apply": [[BOTH_ZEROS[(i + turn) % 4] for i in range(count)]]} for turn in range(2)]
    return case


def few(case: Document) -> Document:
    """The case with weights and gradients of all digits that are mostly 0; weights of 0 stay so."""
    stream, dtype = random.Random("few"), case["variables"][0]["value"]["dtype"]

    def thinned(count: int) -> list[Any]:
        return typed([0.0 if i % APART else stream.gauss(0, 1) for i in range(count)], dtype)

    for variable in case["variables"]:
        if any(variable["value"]["values"]):
            variable["value"]["values"] = thinned(len(variable["value"]["values"]))
    for event in case["events"]:
        event["apply"] = [thinned(len(gradient)) for gradient in event["apply"]]
    return case


def short(case: Document) -> Document:
    """The case with numbers of two digits."""
    dtype = case["variables"][0]["value"]["dtype"]

    def cut(values: list[Any]) -> list[Any]:
        return typed([round(x, 1) or 0.1 for x in values], dtype)

    for variable in case["variables"]:
        variable["value"]["values"] = cut(variable["value"]["values"])
    for event in case["events"]:
        event["apply"] = [cut(g) for g in event["apply"]]
    return case


def enlarged(case: Document, factor: float) -> Document:
    """The case with gradients that are larger by this factor, where the dtype has such numbers."""
    dtype = case["variables"][0]["value"]["dtype"]
    for event in case["events"]:
        event["apply"] = [typed([x * factor for x in g], dtype) for g in event["apply"]]
    return {**case, "flags": [*case["flags"], "gradient-huge"]}


def scaled(case: Document) -> Document:
    """The case with weights and gradients so small that their squares are denormal."""
    dtype = case["variables"][0]["value"]["dtype"]
    for variable in case["variables"]:
        variable["value"]["values"] = typed([x * TINY[dtype] for x in variable["value"]["values"]], dtype)
    for event in case["events"]:
        event["apply"] = [typed([x * TINY[dtype] for x in g], dtype) for g in event["apply"]]
    return {**case, "flags": [*case["flags"], "gradient-tiny"]}
