"""Cases of what a port seldom meets: weights that are not finite, numbers with all digits, options that are taken back.

Each kind goes over all optimizers, or over all options of the pipeline, and asks what they do where three digits, round
hyperparameters and an option that stays as it was would not tell.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from goldenstep import spec
from goldenstep.spec import serialization

from .drawing import Document, Shape, dtypes_of, features_of, slug, typed
from .lifecycle_cases import CLIPS, EMPTY, Case, Maker, Steps, attempt
from .optimizer_schedule_cases import FLOAT16, FLOAT64, STAIRCASE
from .sparse_cases import configs_of_variants, drawn, negative, spoiled

PAIR: dict[str, Shape] = {"kernel": (2, 3), "bias": (5,)}
NEGATIVE: list[Document] = [{"global_clipnorm": 0.5}, {"gradient_accumulation_steps": 2}]
"""Options that make an array of rows before the rule sees them."""
SPECIAL = ("NaN", "Infinity", "-Infinity")
TAKEN_BACK: dict[str, tuple[Any, Any]] = {
    "weight_decay": (0.5, 0.0),
    "clipnorm": (0.5, 0.0),
    "clipvalue": (0.25, 0.0),
    "global_clipnorm": (0.5, 0.0),
    "decay": (0.5, 0.0),
    "use_ema": (True, False),
    "ema_overwrite_frequency": (1, 0),
    "loss_scale_factor": (4.0, 0.0),
    "nesterov": (True, False),
}
"""Options of the pipeline, each with a value that shows and with what takes it back."""


def uncommon_cases(edition: str, optimizer: str) -> Iterator[Case]:
    """Pairs of a slug and a case without id, edition and clauses; some stand twice, as the same."""
    yield from varied_cases(edition, optimizer)
    make = Maker(edition, optimizer)
    yield from weights_not_finite(make)
    yield from all_digits(edition, optimizer)
    if make.thorough or optimizer == "AdamW":
        yield from taken_back(make)
    slow: Document = {"beta_2": 0.9999} if "beta_2" in spec.hyperparameters(optimizer, edition) else {}
    yield "far-steps", make.case(slow, far_from_0, ["learning_rate"], shapes={"bias": (3,)})
    if optimizer == "SGD":  # the pipeline is the same for all
        yield from options_of_all_digits(make)
        yield from of_two_dtypes(make)
        yield from clips_that_come_later(make)
        yield from far_pieces(make)
        yield from far_exponentials(make)
        yield "schedule+empty-list", make.case({"learning_rate": STAIRCASE}, before_nothing, ["schedules", "none"])
        for dtype in dtypes_of(edition, optimizer):
            clipped = make.case({"global_clipnorm": 0.4731943}, lambda s: s.many(2), shapes=MANY, dtype=dtype)
            yield f"global_clipnorm+nineteen-variables-{dtype}", clipped
        if "weight_decay" in make.takes:
            other = attempt({"exclude": {"names": ["KERNEL"]}})
            yield "exclude-another-case", make.case({"weight_decay": 0.5}, lambda s: [other, *s.many(2)])
        yield from constraints_of_all_digits(make)
        yield from constraints_of_few_words(make)


def varied_cases(edition: str, optimizer: str) -> Iterator[Case]:
    """Those of them that the properties vary, since nothing else that they draw comes near (variations.py)."""
    make = Maker(edition, optimizer)
    yield from itertools.islice(weights_not_finite(make), 2 if make.thorough else 1)
    for config in configs_of_variants(optimizer, edition):
        yield f"sparse-{slug(config)}+nan", spoiled(drawn(optimizer, config, "distinct-rows", (5, 2), "float32"))
    if optimizer in ("SGD", "AdamW"):
        yield from taken_back(make, TAKEN_BACK if optimizer == "SGD" else ("weight_decay",))
    if optimizer == "SGD":
        yield from far_pieces(make, ("float32",))
        yield from spared_scalars(make)
        yield from rates_of_another_dtype(make)
        yield from resumed_far_from_0(make)
        three = make.case({}, of_three, ["aggregation"])
        yield "three-replicas", {**three, "flags": [*three["flags"], "replicas"], "replicas": 3}
        yield from constraints_of_all_digits(make, ("MinMaxNorm-most-of-the-way",))
    if make.thorough and edition == "keras3":
        for config in NEGATIVE:
            case = negative(drawn(optimizer, config, "duplicate-rows", (5, 2), "float32"))
            yield f"sparse-{slug(config)}+negative-index", case


def spared_scalars(make: Maker) -> Iterator[Case]:
    """Weight decay that a scalar is spared, alone or with another."""
    for spared in ([2], [1, 2]) if "weight_decay" in make.takes else ():
        first = attempt({"exclude": {"variables": spared}})
        name = "-and-".join(map(str, spared))
        yield f"exclude-variables-{name}", make.case({"weight_decay": 0.5}, lambda s: [first, *s.many(2)])  # noqa: B023


def weights_not_finite(make: Maker) -> Iterator[Case]:
    """Some weights of a matrix are not finite, and the others move as they should; with a decay of nothing, too."""
    options: list[Document] = [{}, *([{"weight_decay": 0.0}] if "weight_decay" in make.takes else [])]
    for config in options:
        case = make.case(config, lambda s: s.many(3), flags=["weights-not-finite"], shapes=PAIR)
        case["variables"][0]["value"]["values"][0] = "NaN"
        case["variables"][1]["value"]["values"][1:3] = SPECIAL[1:]
        yield f"{slug(config)}+weights-not-finite".lstrip("+"), case


def all_digits(edition: str, optimizer: str) -> Iterator[Case]:
    """Hyperparameters, weights and gradients with all the digits that there are, in each dtype."""
    own = spec.hyperparameters(optimizer, edition)
    stream = random.Random(f"all digits {optimizer}")
    digits = {name: with_digits(stream, entry) for name, entry in own.items() if entry["type"] == "float"}
    config = {name: value for name, value in digits.items() if value is not None}
    chosen = ({n: v for n, v in c.items() if n not in config} for c in configs_of_variants(optimizer, edition))
    variants = {slug(variant): variant for variant in ({}, *chosen)}
    for dtype in dtypes_of(edition, optimizer):
        for name, variant in variants.items() if dtype == "float32" else [("", {})]:
            yield f"{name}+all-digits-{dtype}".lstrip("+"), precise(optimizer, {**config, **variant}, dtype)


def with_digits(stream: random.Random, entry: Document) -> float | None:
    """A number a little nearer to 0 than the first sample that is none."""
    found = [x for x in entry["samples"] if isinstance(x, float) and x and math.isfinite(x)]
    return found[0] * (0.9 + 0.1 * stream.random()) if found else None


def precise(optimizer: str, config: Document, dtype: str, steps: int = 3) -> Document:
    """Some steps of numbers that are not cut."""
    stream = random.Random(f"all digits {optimizer} {sorted(config)} {dtype}")

    def numbers(shape: Shape) -> list[Any]:
        return typed([stream.gauss(0, 1) for _ in range(math.prod(shape))], dtype)

    variables = [
        {"name": name, "value": {"dtype": dtype, "shape": list(shape), "values": numbers(shape)}}
        for name, shape in PAIR.items()
    ]
    return {
        "features": ["dense", *features_of(config)],
        "flags": [],
        "optimizer": {"class_name": optimizer, "config": config},
        "variables": variables,
        "events": [{"apply": [numbers(shape) for shape in PAIR.values()]} for _ in range(steps)],
    }


PRECISE: dict[str, Document] = {
    "weight_decay": {"weight_decay": 0.0937214},
    "clipvalue": {"clipvalue": 0.4731943},
    "clipnorm": {"clipnorm": 0.4731943},
    "global_clipnorm": {"global_clipnorm": 0.4731943},
    "use_ema": {"use_ema": True, "ema_momentum": 0.7319643, "ema_overwrite_frequency": 2},
    "decay": {"decay": 0.3719461},
    "loss_scale_factor": {"loss_scale_factor": 3.7194617},
    "gradient_accumulation_steps": {"gradient_accumulation_steps": 3},
}


def options_of_all_digits(make: Maker) -> Iterator[Case]:
    """Options of the pipeline that no float is near to, with numbers that are not cut."""
    for name, config in PRECISE.items():
        if set(config) <= make.takes:
            for dtype in dtypes_of(make.edition, make.optimizer):
                given = {"learning_rate": 0.1372846, **config}
                yield f"{name}-of-all-digits-{dtype}", precise(make.optimizer, given, dtype, steps=4)


def of_two_dtypes(make: Maker) -> Iterator[Case]:
    """Variables of two dtypes beside each option of the pipeline, and beside none."""
    for name in ("", *PRECISE):
        config = PRECISE.get(name, {})
        for dtypes in (("float32", "float64"), ("float16", "float32")):
            if set(config) <= make.takes:
                slugged = "+".join(filter(None, [name, "-and-".join(dtypes)]))
                yield slugged, mixed(make.optimizer, {"learning_rate": 0.1372846, **config}, dtypes)


def mixed(optimizer: str, config: Document, dtypes: tuple[str, str]) -> Document:
    """The case with a second variable of another dtype; it may be one about errors."""
    first, second = (precise(optimizer, config, dtype, steps=4) for dtype in dtypes)
    shape = second["variables"][1]["value"]["shape"]
    events = [
        {"apply": [a["apply"][0], {"dtype": dtypes[1], "shape": shape, "values": b["apply"][1]}]}
        for a, b in zip(first["events"], second["events"], strict=True)
    ]
    variables = [first["variables"][0], second["variables"][1]]
    return {**first, "variables": variables, "events": [attempt(event) for event in events]}


MANY: dict[str, Shape] = {f"bias_{n}": (n % 3 + 1,) for n in range(19)}


LIMITS: dict[str, Document] = {
    "MinMaxNorm-most-of-the-way": {"min_value": 0.3172846, "max_value": 0.8431927, "rate": 0.9371946},
    "MinMaxNorm": {"min_value": 0.3172846, "max_value": 0.8431927, "rate": 0.3719465},
    "MaxNorm": {"max_value": 0.7319643},
    "UnitNorm": {},
}


def constraints_of_all_digits(make: Maker, names: Sequence[str] = tuple(LIMITS)) -> Iterator[Case]:
    """Norms whose limits no float is near to, in each dtype."""
    for name in names:
        config = LIMITS[name]
        for dtype in dtypes_of(make.edition, make.optimizer):
            case = precise(make.optimizer, {"learning_rate": 0.1372846}, dtype)
            for variable in case["variables"]:
                variable["constraint"] = {"class_name": name.split("-")[0], "config": config}
            case = {**case, "features": ["dense", "constraints"], "flags": ["constraint"]}
            yield f"{name.lower()}-of-all-digits-{dtype}", case


def constraints_of_few_words(make: Maker) -> Iterator[Case]:
    """Norms with the arguments that nobody gives, and with a limit below 0, which no norm is."""
    given: list[Document] = [{"class_name": "MaxNorm", "config": {}}, {"class_name": "MinMaxNorm", "config": {}}]
    for constraint in (*given, {"class_name": "MaxNorm", "config": {"max_value": -0.5}}):
        case = make.case({}, lambda s: s.many(2), ["constraints"], ["constraint"], LARGE, [constraint, constraint])
        for variable in case["variables"]:
            variable["value"]["values"] = [4 * x for x in variable["value"]["values"]]
        name = "+".join(filter(None, [constraint["class_name"].lower(), slug(constraint["config"])]))
        yield f"{name}-as-given", case


LARGE: dict[str, Shape] = {"kernel": (3, 4), "bias": (5,)}


def clips_that_come_later(make: Maker) -> Iterator[Case]:
    """Each kind of clipping beside each other, one of them from the third step on."""
    for first in CLIPS:
        for second in CLIPS:
            if first != second:
                events = changing(second, 0.25)
                yield f"{first}=0.75+{second}-comes-later", make.case({first: 0.75}, events, ["learning_rate"])


BETWEEN: Document = {"boundaries": [1.5, 2.75, 2**24], "values": [0.1, 0.03, 0.3, 0.007]}
COUNTS = (3000, 70000, 2**24, 2**24 + 1, 2**31 - 2, 2**31)


def far_pieces(make: Maker, dtypes: Sequence[str] = ("float32", "float64", "float16")) -> Iterator[Case]:
    """Boundaries between two steps, and steps that float16, float32 and int32 do not hold."""
    for dtype in dtypes:
        yield f"far-piecewiseconstantdecay-{dtype}", scheduled(make, "PiecewiseConstantDecay", BETWEEN, dtype)


def far_exponentials(make: Maker) -> Iterator[Case]:
    """The same of a schedule that goes on."""
    config = {"initial_learning_rate": 0.1, "decay_steps": 1e9, "decay_rate": 0.5}
    for dtype in dtypes_of(make.edition, make.optimizer):
        yield f"far-exponentialdecay-{dtype}", scheduled(make, "ExponentialDecay", config, dtype)


def scheduled(make: Maker, name: str, config: Document, dtype: str) -> Document:
    """Far steps at the rates of a schedule."""
    rate: Document = {"learning_rate": {"class_name": name, "config": config}}
    return make.case(rate, far, ["schedules"], dtype=dtype, shapes={"bias": (3,)})


def rates_of_another_dtype(make: Maker) -> Iterator[Case]:
    """A schedule of a float32 gives way to one of a float64, or of a float16, and the other way round."""
    rates = {"float32": STAIRCASE, "float64": FLOAT64, "float16": FLOAT16}
    for first, second in itertools.permutations(rates, 2):
        if "float32" in (first, second) and not (make.edition == "tf2.9" and first != "float32"):
            events = changing("learning_rate", rates[second])
            yield (
                f"schedule-of-{first}-becomes-{second}",
                make.case({"learning_rate": rates[first]}, events, ["schedules"]),
            )


def resumed_far_from_0(make: Maker) -> Iterator[Case]:
    """A state is handed over with a count of steps that float32 does not hold."""
    for way in serialization.ways_of_resuming(make.edition):
        events = resumed(way)
        yield f"resume-{way}-far-from-0", make.case({}, events, ["learning_rate", "resume"], shapes={"bias": (3,)})


def resumed(way: str) -> Callable[[Steps], list[Document]]:
    """Two steps, the second one late, then the same twice in another optimizer."""
    return lambda s: [s.apply(), {"set_iterations": 2**24}, s.apply(), {"resume": way}, *s.many(2)]


def before_nothing(s: Steps) -> list[Document]:
    """The count of steps jumps before a list of no gradients."""
    return [*s.many(2), {"set_iterations": 7}, attempt(EMPTY), *s.many(1), attempt(EMPTY)]


def of_three(s: Steps) -> list[Document]:
    """Steps of three replicas."""
    return [{"apply_replicas": [s.apply()["apply"] for _ in range(3)]} for _ in range(3)]


def far(s: Steps) -> list[Document]:
    """Four steps, then one at each of some counts, and after it another."""
    jumps = [[attempt({"set_iterations": count}), *map(attempt, s.many(2))] for count in COUNTS]
    return [*s.many(4), *(event for jump in jumps for event in jump)]


def far_from_0(s: Steps) -> list[Document]:
    """A step, then two where float32, and two where int32, comes to its end."""
    jumps = [[attempt({"set_iterations": count}), *map(attempt, s.many(2))] for count in (2**24, 2**31 - 1)]
    return [s.apply(), *(event for jump in jumps for event in jump)]


def taken_back(make: Maker, options: Iterable[str] = TAKEN_BACK) -> Iterator[Case]:
    """An option counts, is 0 or False, then null, and counts again."""
    for name in options:
        value, nothing = TAKEN_BACK[name]
        if name not in make.takes or (name == "nesterov" and make.optimizer != "SGD"):
            continue
        config: Document = {name: value}
        if name == "ema_overwrite_frequency":
            config = {"use_ema": True, "ema_momentum": 0.75, **config}
        yield (
            f"{slug({name: value})}-taken-back",
            make.case(config, changing(name, nothing, None, value), ["learning_rate"]),
        )


def changing(name: str, *values: Any) -> Callable[[Steps], list[Document]]:
    """Two steps, then for each value an assignment and a step."""

    def played(s: Steps) -> list[Document]:
        events = s.many(2)
        for assigned in values:
            events += [attempt({"set": {name: assigned}}), attempt(s.apply())]
        return events

    return played
