"""Cases remote from the usual, of every optimizer: rates of 0, weights near 0, a counter that goes back, rows of each
dtype, divisors of nothing beside rows that stand twice, sums of every length.

Each is here because some wrong implementation passed all others (tests/wrong/README.md names the case that rejects
it).  What they are about is a class of mistakes, so that every optimizer that can make one has its case.
"""

from __future__ import annotations

import math
import random
import zlib
from collections.abc import Iterator, Sequence
from typing import Any

from goldenstep import spec

from .drawing import Document, Shape, dtypes_of, features_of, from_zero, slug, typed
from .lifecycle_cases import Case, Maker, Steps, attempt, lifecycle_cases
from .rare_cases import rare_cases
from .sparse_cases import configs_of_variants, sparse_cases
from .subtle_cases import EXCLUDED, subtle_cases
from .uncommon_cases import mixed, precise, with_digits

ONE: dict[str, Shape] = {"kernel": (2, 2)}
ROWS: tuple[Sequence[int], ...] = ((3, 1, 3, 3), (1, 4, 0, 1))
BACK: tuple[int, ...] = (0, 7, 3)
"""What the counter of steps is set to: where it began, further, and back."""
UNCOUNTED: tuple[str, ...] = ("Adadelta", "Adagrad", "Ftrl", "Lion", "RMSprop")
"""Optimizers to whose rule every step is the same."""
RATIOS: tuple[str, ...] = ("Adagrad", "RMSprop", "Adadelta", "ScheduleFreeAdamW", "Adafactor", "Ftrl")
"""Optimizers that divide rows by those of an array."""
NOTHING: tuple[Sequence[int], ...] = ((1, 1, 3, 0, 0), (3, 1, 3), (2,), (0, 3, 0, 3, 0), (4, 4))
"""As many rows as there are, with their duplicates, or as there are with those whose divisor is 0."""
NOT_A_NUMBER: tuple[Sequence[int], ...] = ((0, 1, 2, 3, 4), (3, 1, 3), (1, 1), (2, 0), (0, 0, 4, 4))
SUMS_OF_PLACES: tuple[Sequence[int], ...] = ((1, 1, 0), (2, 3, 3))
"""Fewer rows than there are with those whose divisor is 0: then those of index 1 are taken from place 1 + 2."""
LENGTHS = (3, 4, 12, 15, 16, 19)
MANY = (3, 5, 6, 7, 9, 13)
WIDE: tuple[Shape, ...] = ((2, 385), (2, 450), (1, 800))
"""An inner dimension of more than 384 is cut in pieces."""


def remote_cases(edition: str, optimizer: str) -> Iterator[Case]:
    """Pairs of a slug and a case without id, edition and clauses."""
    make = Maker(edition, optimizer)
    dtypes = dtypes_of(edition, optimizer)
    variants = list(configs_of_variants(optimizer, edition))
    for config in ({}, *variants):
        name = slug(config)
        yield f"{name}+rate-becomes-0".lstrip("+"), make.case(config, without_a_rate, ["learning_rate"], shapes=ONE)
        for dtype in dtypes if not config else dtypes[1:]:
            yield f"sparse-{name}+all-digits-{dtype}".replace("-+", "-"), rows_of(edition, optimizer, config, dtype)
    if optimizer not in UNCOUNTED:
        yield "counter-goes-back", make.case({}, going_back, ["learning_rate"], shapes={"bias": (2,)})
        yield "sparse-counter-goes-back", back_and_forth(rows_of(edition, optimizer, {}, "float32"))
        yield from far(make, dtypes)
    yield from rounded_twice(edition, optimizer)
    if make.kind != "legacy" and optimizer in ("SGD", "Adam", "Adagrad"):
        written_back: Document = {"use_ema": True, "ema_momentum": 0.7319643, "ema_overwrite_frequency": 1}
        yield f"sparse-{slug(written_back)}", rows_of(edition, optimizer, written_back, "float32")
    if optimizer in ("SGD", "Adam"):
        yield from of_one_name(make)
    if optimizer == "SGD" and make.kind == "legacy":
        functions = {"gradient_transformers": [{"multiply": 0.3719465}, {"multiply": 0.7319643}]}
        yield "two-gradient_transformers", make.case(functions, lambda s: s.many(2), ["aggregation"], shapes=ONE)
        plain = {**functions, "learning_rate": 1.0, "momentum": 0.0}
        in_turn = make.case(plain, lambda s: s.many(1), ["aggregation"], shapes={"kernel": (5, 5)})
        yield "two-gradient_transformers+starts-at-zero", from_zero(in_turn)
    yield "sparse-rate-becomes-0", at_rest(rows_of(edition, optimizer, {}, "float32"))
    for config in at_bounds(edition, optimizer):
        yield f"at-the-bound-{slug(config)}", make.case(config, lambda s: [*map(attempt, s.many(2))], shapes=ONE)
    own = of_all_digits(edition, optimizer)
    for dtype in dtypes:
        if dtype != "float32":
            yield f"sparse-near-0-all-digits-{dtype}", near_0(rows_of(edition, optimizer, {}, dtype), dtype)
        yield f"near-0-all-digits-{dtype}", near_0(precise(optimizer, own, dtype, steps=2), dtype)
    for pair in (("float32", "float64"), ("float16", "float32")) if optimizer != "SGD" else ():
        if set(pair) <= set(dtypes):
            case = mixed(optimizer, own, pair)
            yield "-and-".join(pair), {**case, "events": case["events"][:2]}
    if optimizer in RATIOS:
        yield from divided(edition, optimizer)
    if optimizer in ("AdamW", "Muon"):
        yield from spared(make)
    if optimizer == "Adafactor":
        yield "every-number-of-rows", lengths(optimizer, lambda n: (n, 9))
        yield "every-number-of-rows-of-three", lengths(optimizer, lambda n: (2, n, 5))
    if optimizer == "SGD":
        for count in MANY:
            for dtype in ("float32", "float64"):
                shapes: dict[str, Shape] = {f"bias_{n}": (2,) for n in range(count)}
                clipped = make.case({"global_clipnorm": 0.4731943}, lambda s: s.many(2), shapes=shapes, dtype=dtype)
                yield f"global_clipnorm+{count}-variables-{dtype}", clipped
        if make.kind != "legacy":
            often = {"use_ema": True, "ema_momentum": 0.75, "ema_overwrite_frequency": 1}
            yield (
                f"{slug(often)}+none",
                make.case(often, some_without, ["none"], shapes={"kernel": (2, 2), "other": (2, 2)}),
            )
        yield "unitnorm+every-number-of-rows", normed(lengths(optimizer, lambda n: (n, 9)), 0)
    if optimizer == "Lamb":
        stream = random.Random("rows of Lamb")
        case = rows_of(edition, optimizer, {}, "float32")
        many = [0, 1, 2, 3, 4] * 3
        case["events"] = [attempt({"apply": [rows(stream, many, (5, 2), "float32")]}) for _ in range(5)]
        yield "sparse-many-rows", case
    if optimizer == "Muon":
        shapes = {f"kernel_{n}": shape for n, shape in enumerate(WIDE)}
        wide = make.case({"ns_steps": 1}, lambda s: s.many(1), shapes=shapes)
        yield "long-inner-dimension", wide


def varied_remote_cases(edition: str, optimizer: str) -> Iterator[Case]:
    """Those of them that the properties vary (variations.py), and some that others make.

    Of editions that are much alike each case is that of one, unless it is about what is sometimes found in a few.
    """
    for name, case in remote_cases(edition, optimizer):
        chosen = name in OF_FEW or stands_for_others(edition, optimizer, name)
        if chosen and not any(piece in name for piece in LARGE):
            yield name, case
    for more in (lifecycle_cases, sparse_cases, rare_cases, subtle_cases):
        for name, case in more(edition, optimizer):
            if name in ASKED:
                yield name, case


def stands_for_others(edition: str, optimizer: str, name: str) -> bool:
    """Is the case of this name played for all editions that are much alike in this one?"""
    alike = next(editions for editions in ALIKE if edition in editions)
    family = [other for other in alike if optimizer in spec.available(other)]
    return family[zlib.crc32(f"{name} {optimizer}".encode()) % len(family)] == edition


ALIKE = (("tf2.4", "tf2.9.legacy", "tf2.12.legacy", "tf2.15.legacy"), ("tf2.9", "tf2.12", "tf2.15"), ("keras3",))
LARGE = ("long-inner-dimension", "unitnorm", "-and-", "far-steps", "-variables-")
OF_FEW = ("two-variables-of-one-name", "two-gradient_transformers", "two-gradient_transformers+starts-at-zero")
ASKED = (
    "use_ema+set-ema_momentum",
    "sparse-momentum=0.37+empty-indices",
    "sparse-beta_2=0.0",
    "rho=0.25+exact-denormals",
)


# ---- events ----------------------------------------------------------------------------------------------------


def without_a_rate(s: Steps) -> list[Document]:
    """A step, two at a rate of 0, and one at the old rate."""
    none, old = ({"set": {"learning_rate": rate}} for rate in (0.0, 0.1))
    return [s.apply(), none, attempt(s.apply()), old, attempt(s.apply())]


def some_without(s: Steps) -> list[Document]:
    """Steps in which one variable, then the other, has no gradient."""
    return [s.apply(), *(attempt(s.apply(without=[i])) for i in (1, 0)), attempt(s.apply())]


def going_back(s: Steps) -> list[Document]:
    """The counter of steps goes back, and further, and back."""
    jumps = [[attempt({"set_iterations": count}), *map(attempt, s.many(2))] for count in BACK]
    return [*s.many(2), *(event for jump in jumps for event in jump)]


def far(make: Maker, dtypes: Sequence[str]) -> Iterator[Case]:
    """Steps that float32 does not hold, with betas whose powers are not yet 0 by then."""
    own = spec.hyperparameters(make.optimizer, make.edition)
    slow = {name: beta for name, beta in SLOW.items() if name in own}
    for dtype in dtypes if slow else ():
        if dtype != "float16":
            case = make.case(slow, far_from_0, ["learning_rate"], shapes={"bias": (2,)}, dtype=dtype)
            yield f"far-steps-with-slow-betas-{dtype}", case
    if slow and "float64" in dtypes:
        case = rows_of(make.edition, make.optimizer, slow, "float64")
        jump = attempt({"set_iterations": 2**24})
        yield "sparse-far-steps-with-slow-betas", overwritten(case, [*case["events"][:1], jump, *case["events"][1:]])
    if make.optimizer == "Adafactor" and "float64" in dtypes:
        yield "far-steps-float64", make.case({}, far_from_0, ["learning_rate"], dtype="float64")


def far_from_0(s: Steps) -> list[Document]:
    """A step, then two where float32, and two where int32, comes to its end."""
    jumps = [[attempt({"set_iterations": count}), *map(attempt, s.many(2))] for count in (2**24, 2**31 - 1)]
    return [s.apply(), *(event for jump in jumps for event in jump)]


SLOW: Document = {"beta_1": 1 - 2.0**-23, "beta_2": 1 - 2.0**-24} | {
    "adam_beta_1": 1 - 2.0**-23,
    "adam_beta_2": 1 - 2.0**-24,
}


def back_and_forth(case: Document) -> Document:
    """The case with a counter that goes back, and further, between its steps, which come again."""
    events = [*case["events"]]
    for count in BACK:
        events += [attempt({"set_iterations": count}), *case["events"][1:]]
    return overwritten(case, events)


def at_rest(case: Document) -> Document:
    """The case with a rate of 0 after its first step."""
    first, *others = case["events"]
    return overwritten(case, [first, {"set": {"learning_rate": 0.0}}, *others])


def overwritten(case: Document, events: list[Document]) -> Document:
    """The case with events that overwrite the rate or the counter."""
    features, flags = [*case["features"], "learning_rate"], [*case["flags"], "overwritten"]
    return {**case, "events": events, "features": features, "flags": flags}


def at_bounds(edition: str, optimizer: str) -> Iterator[Document]:
    """Configs with a number that is just out of its range, and is taken all the same; a rate below 0."""
    for name, entry in spec.hyperparameters(optimizer, edition).items():
        bounds = [entry[key] for key in ("exclusiveMinimum", "exclusiveMaximum") if key in entry]
        for bound in [-0.1] if name == "learning_rate" else map(float, bounds):
            known = [r for r in spec.refusals(optimizer, edition) if r["argument"] == name]
            if entry["type"] == "float" and not any(refused(bound, refusal) for refusal in known):
                yield {name: bound}


def refused(number: float, refusal: Document) -> bool:
    """Does the constructor refuse this number?"""
    below, above = refusal.get("below", -math.inf), refusal.get("above", math.inf)
    return bool(number < below or number > above or number <= refusal.get("at_most", -math.inf))


def rounded_twice(edition: str, optimizer: str) -> Iterator[Case]:
    """Gradients of float64 for a variable of float16, nearly halfway between two of its numbers."""
    taken = spec.dtype_error(edition, optimizer, "float64", "float16", 2) is None
    if "float16" not in dtypes_of(edition, optimizer) or not taken or optimizer == "Muon":
        return
    shape: Shape = (2, 2)
    between = [1 + 2.0**-11 + 2.0**-30, -1 - 2.0**-11 - 2.0**-30, 1 + 3 * 2.0**-11 - 2.0**-30, 0.37194658231]
    values = {"dtype": "float64", "shape": list(shape), "values": between}
    variable = {"name": "kernel", "value": {"dtype": "float16", "shape": list(shape), "values": [0.0] * 4}}
    sparse: Document = {"sparse-": {"indices": [1, 0], "values": values}} if edition == "keras3" else {}
    for name, gradient in {"": values, **sparse}.items():
        case = {
            "features": ["sparse" if name else "dense"],
            "flags": ["goes-on-after-an-error", "starts-at-zero"],
            "optimizer": {"class_name": optimizer, "config": {"learning_rate": 1.0}},
            "variables": [variable],
            "events": [attempt({"apply": [gradient]})],
        }
        yield f"{name}gradient-of-float64-for-float16", case


def of_one_name(make: Maker) -> Iterator[Case]:
    """Two variables of one name and shape, of which one is spared weight decay."""
    config: Document = {"learning_rate": 0.1, **({"weight_decay": 0.5} if "weight_decay" in make.takes else {})}
    spared = [attempt({"exclude": {"variables": [1]}})] if "weight_decay" in make.takes else []
    case = make.case(config, lambda s: [*spared, *s.many(2)], shapes={"kernel": (2, 2), "other": (2, 2)})
    for variable in case["variables"]:
        variable["name"] = "kernel"
    yield "two-variables-of-one-name", case


# ---- rows ------------------------------------------------------------------------------------------------------


def of_all_digits(edition: str, optimizer: str) -> Document:
    """Every number of a config, with all its digits."""
    stream = random.Random(f"remote {optimizer}")
    own = spec.hyperparameters(optimizer, edition)
    digits = {name: with_digits(stream, entry) for name, entry in own.items() if entry["type"] == "float"}
    return {name: value for name, value in digits.items() if value is not None}


def rows_of(edition: str, optimizer: str, config: Document, dtype: str) -> Document:
    """Rows of a matrix, and where the rule is another of a vector, with all digits; some of them three times."""
    given = {**of_all_digits(edition, optimizer), **config}
    stream = random.Random(f"remote {optimizer} {sorted(config.items())} {dtype}")
    vector: dict[str, Shape] = {"bias": (5,)} if optimizer == "Adafactor" else {}
    shapes: dict[str, Shape] = {"kernel": (5, 2), **vector}
    return {
        "features": ["sparse", *features_of(given)],
        "flags": ["duplicate-indices", "goes-on-after-an-error", "untouched-rows"],
        "optimizer": {"class_name": optimizer, "config": given},
        "variables": [
            {"name": name, "value": {"dtype": dtype, "shape": list(shape), "values": numbers(stream, shape, dtype)}}
            for name, shape in shapes.items()
        ],
        "events": steps_of(stream, list(shapes.values()), ROWS, dtype),
    }


def steps_of(
    stream: random.Random, shapes: Sequence[Shape], patterns: Sequence[Sequence[int]], dtype: str
) -> list[Document]:
    """A step of each of these lists of rows, that may fail."""
    return [attempt({"apply": [rows(stream, indices, shape, dtype) for shape in shapes]}) for indices in patterns]


def rows(stream: random.Random, indices: Sequence[int], shape: Shape, dtype: str) -> Document:
    """A sparse gradient."""
    taken = (len(indices), *shape[1:])
    return {
        "indices": list(indices),
        "values": {"dtype": dtype, "shape": list(taken), "values": numbers(stream, taken, dtype)},
    }


def numbers(stream: random.Random, shape: Shape, dtype: str) -> list[Any]:
    """Normally distributed numbers that are not cut."""
    return typed([stream.gauss(0, 1) for _ in range(math.prod(shape))], dtype)


def divided(edition: str, optimizer: str) -> Iterator[Case]:
    """Rows whose divisor is 0, or not a number, beside as many that stand twice."""
    own = spec.hyperparameters(optimizer, edition)
    nothing: Document = {name: 0.0 for name in ("epsilon", "initial_accumulator_value") if name in own}
    for config in (nothing, *({**nothing, **v} for v in configs_of_variants(optimizer, edition) if nothing)):
        case = rows_of(edition, optimizer, config, "float32")
        stream = random.Random(f"nothing {optimizer} {sorted(config.items())}")
        shapes = [tuple(v["value"]["shape"]) for v in case["variables"]]
        steps = steps_of(stream, shapes, NOTHING, "float32")
        for gradient in steps[0]["attempt"]["apply"]:  # one of the rows that stand twice is 0
            width = len(gradient["values"]["values"]) // len(NOTHING[0])
            gradient["values"]["values"][: 2 * width] = [0.0] * (2 * width)
        yield f"sparse-{slug(config)}+divided-by-nothing", {**case, "events": steps}
    if edition == "keras3" and nothing:
        case = rows_of(edition, optimizer, nothing, "float32")
        stream = random.Random(f"sums of places {optimizer}")
        steps = steps_of(stream, [tuple(v["value"]["shape"]) for v in case["variables"]], SUMS_OF_PLACES, "float32")
        yield "sparse-divided-at-sums-of-places", {**case, "events": steps}
    case = rows_of(edition, optimizer, {}, "float32")
    stream = random.Random(f"not a number {optimizer}")
    shapes = [tuple(v["value"]["shape"]) for v in case["variables"]]
    steps = steps_of(stream, shapes, NOT_A_NUMBER, "float32")
    for gradient in steps[0]["attempt"]["apply"]:
        gradient["values"]["values"][2 * len(gradient["values"]["values"]) // 5] = "NaN"
    yield "sparse-divided-by-nan", {**case, "events": steps, "flags": [*case["flags"], "gradient-nan"]}


# ---- shapes and numbers ----------------------------------------------------------------------------------------


def near_0(case: Document, dtype: str) -> Document:
    """The case with weights and gradients so small that what is added to them counts."""
    factor = 2.0**-6 if dtype == "float16" else 2.0**-13

    def smaller(values: Any) -> Any:
        if isinstance(values, list):
            return typed([x * factor for x in values], dtype)
        return {**values, "values": {**values["values"], "values": smaller(values["values"]["values"])}}

    variables = [{**v, "value": {**v["value"], "values": smaller(v["value"]["values"])}} for v in case["variables"]]
    applied = [(event.get("attempt", event), "attempt" in event) for event in case["events"]]
    steps = [({"apply": [smaller(g) for g in event["apply"]]}, tried) for event, tried in applied]
    return {**case, "variables": variables, "events": [attempt(step) if tried else step for step, tried in steps]}


def lengths(optimizer: str, shape: Any) -> Document:
    """One step of matrices of several numbers of rows."""
    stream = random.Random(f"lengths {optimizer} {shape(2)}")
    shapes: dict[str, Shape] = {f"kernel_of_{n}": shape(n) for n in LENGTHS}

    def short(of: Shape) -> list[Any]:
        return typed([round(stream.gauss(0, 1), 3) or 0.1 for _ in range(math.prod(of))], "float32")

    return {
        "features": ["dense"],
        "flags": [],
        "optimizer": {"class_name": optimizer, "config": {"learning_rate": 0.7}},
        "variables": [
            {"name": name, "value": {"dtype": "float32", "shape": list(of), "values": short(of)}}
            for name, of in shapes.items()
        ],
        "events": [{"apply": [short(of) for of in shapes.values()]}],
    }


def normed(case: Document, axis: int) -> Document:
    """The case with norms of 1 along an axis."""
    held = {"class_name": "UnitNorm", "config": {"axis": axis}}
    variables = [{**v, "constraint": held} for v in case["variables"]]
    return {**case, "variables": variables, "features": ["dense", "constraints"], "flags": ["constraint"]}


def spared(make: Maker) -> Iterator[Case]:
    """Weight decay that some variables are spared, by a pattern that only one reading of it fits."""
    shapes: dict[str, Shape] = {"kernel": (2, 3), "bias": (3,), "scale": ()}
    for name, calls in EXCLUDED.items() if make.edition != "tf2.9" else ():  # it decays inside its rule
        first = [attempt({"exclude": call}) for call in calls]
        config = {"weight_decay": 0.5, **({"adam_weight_decay": 0.25} if make.optimizer == "Muon" else {})}
        case = make.case(config, lambda s: [*first, *s.many(2)], ["weight_decay"], shapes=shapes)  # noqa: B023
        yield f"decay-but-not-{name}", case
