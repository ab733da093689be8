"""Lives drawn from the specification: everything that may happen to an optimizer, one event after the other.

    lives("keras3", ("Adam",), Life())                   steps, sparse and null gradients, overwritten options ...
    schedule_lives("keras3", ("CosineDecay",), Calls())  a schedule, and the steps that it is called with

Like the cases of strategies.py they shrink: to one variable, few events, plain steps, defaults, and round numbers.
"""

from __future__ import annotations

import functools
import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from hypothesis import strategies as st

from goldenstep.golden import schedule_cases
from goldenstep.golden.cases import finished
from goldenstep.golden.codec import flat
from goldenstep.golden.drawing import dtypes_of
from goldenstep.golden.lifecycle_cases import CONSTRAINTS, OVERWRITTEN
from goldenstep.spec import schedule as schedules
from goldenstep.spec import serialization

from .drawn_schedules import somewhere
from .strategies import (
    CLIPPING,
    EXTREME,
    MOST_ELEMENTS,
    NAMES,
    ORDINARY,
    SCALES,
    TAILS,
    Document,
    Drawing,
    Shape,
    arguments_of,
    between,
    config_of,
    one_of,
    three_bytes,
)

MOST_STEPS, MOST_EVENTS = 8, 16
SHAPES: tuple[Shape, ...] = ((2, 3), (3,), (), (2, 3), (3,), (3, 2), (5, 2), (2, 1, 2), (11,), (1,), (2, 5), (3, 3))
"""Some stand twice: variables of one shape must not be taken for one another."""
OTHER_NAMES = ("my_Embedding_table", "kernel", "embed")
GRADIENTS = ("apply", "apply", "apply", "zero", "zeros", "again", "grown", "spoiled")
MISSING = ("none", "some", "order", "nothing", "twice")
SPARSE = ("sparse", "sparse", "sparse")
FEWER = ("some", "order", "none")
CHANGES = ("rate", "iterations", "hyper", "finalize", "exclude")
ASSIGNING, RESUMING = "assign", "resume"
JUMPS = ("jump", "late", "far", "beyond")
"""Steps before which the counter jumps: anywhere, to where one of these numbers of steps is about to be over, or to
where float16, float32 or int32 is."""
LATE = (999, 999, 1000, 9999)
FAR_STEPS = (70000, 2**24, 2**31 - 1, 2**31)
BEYOND = (2**24, 2**31, 2**24 + 2, 2**26 + 4)
"""Before steps whose number float32 does not hold; each has gradients of its own."""
EVERYTHING = (*GRADIENTS, *MISSING[:3], *SPARSE, *CHANGES)
COUNTS = (1, 0, 9, 99, 499, 998, 999, 1000, 9999, 2**15 - 1, 2**24, 49)
"""What the counter of steps may be set to: around every number at which something might begin to differ."""
RATES = (0.5, 0.01, 0.0, 1.0)
FUNCTION: Document = {"callable": [0.1, 0.03, 0.3, 0.01]}


@dataclass(frozen=True)
class Life:
    """What a property asks of the lives that it is judged on."""

    kinds: tuple[str, ...] = EVERYTHING
    events: tuple[int, int] = (1, MOST_EVENTS)
    drawing: Drawing = field(default_factory=lambda: Drawing(shapes=SHAPES, edges=True))
    scheduled: bool = True
    """May the learning rate be a schedule, or a function?"""
    begins: tuple[float, ...] = (1.0, 0.0)
    """How large variables are at first, in eighths: near 0 an update shows more of its bits."""
    seeded: bool = False
    """Are the numbers those of a seeded generator, in the place of numbers that shrink? They are drawn in no time."""
    scaled: bool = False
    """Are gradients as small or large as the dtype allows as often as they are ordinary?"""
    long: int = 0
    """How often the first step is made, if not once."""
    rated: bool = False
    """Is the learning rate always a schedule, of float64 as often as not?"""
    mixed: bool = False
    """Has every other variable another dtype than the first?"""
    overwriting: bool = False
    """Do gradients overwrite some of the variables?"""
    late: bool = False
    """May the first step lack some of the variables?"""
    namesakes: bool = False
    """Do several variables have one name?"""


@dataclass(frozen=True)
class Calls:
    """Calls of a schedule: at its landmarks, and at steps between them."""

    dtypes: tuple[str, ...] = ("int64", "int32", "float32", "float64", "int", "float")
    names: tuple[str, ...] = tuple(schedules.schedules())
    everywhere: bool = False
    """Are arguments of every kind, and steps before 0, at and beside each landmark, and far beyond?"""
    wide: bool = False
    """Are numbers such as float64 alone holds, and boundaries where float32 and int32 come to their end?"""
    infinite: bool = False
    """Are some of the values, where there are several, infinite, or such as float32 does not hold?"""


@functools.cache
def lives(edition: str, optimizers: tuple[str, ...], life: Life) -> st.SearchStrategy[Document]:
    """Cases of these optimizers of an edition, as `spec/schemas/case.schema.json` has them."""
    length = 2 * MOST_ELEMENTS * (1 + MOST_STEPS)
    seeds = st.binary(max_size=2).map(lambda seed: random.Random(seed).randbytes(length))
    digits = seeds if life.seeded else st.binary(min_size=length, max_size=length)
    variable = st.tuples(st.sampled_from(life.drawing.shapes), digits)
    variables = st.lists(variable, min_size=life.drawing.variables[0], max_size=life.drawing.variables[1])
    event = st.tuples(st.sampled_from(life.kinds), st.integers(0, 255))
    events = st.lists(event, min_size=life.events[0], max_size=life.events[1])
    return one_life(edition, optimizers, life, variables, events)


@st.composite  # once: it reads its own source
def one_life(
    draw: st.DrawFn,
    edition: str,
    optimizers: tuple[str, ...],
    life: Life,
    variables: st.SearchStrategy[list[tuple[Shape, bytes]]],
    events: st.SearchStrategy[list[tuple[str, int]]],
) -> Document:
    """A case, drawn."""
    optimizer = draw(one_of(optimizers))
    dtype = draw(one_of(tuple(d for d in dtypes_of(edition, optimizer) if d in life.drawing.dtypes)))
    config = config_of(draw, edition, optimizer, life.drawing)
    if life.rated:
        config["learning_rate"] = schedule_of(draw, edition, dtype)
    elif life.scheduled and "learning_rate" not in config:
        config |= rate_of(draw, edition, optimizer, dtype)
    shapes, digits = zip(*draw(variables), strict=True)
    begin = draw(one_of(life.begins))
    kind = draw(one_of((None, None, None, "non-negative", "max-norm", "unit-norm")))
    played = draw(events)
    masked = dtype == "float32" or edition == "keras3"  # Keras 2 makes a mask of float32, whatever the variable is.
    constraint = CONSTRAINTS[kind] if kind and shapes[0] and (masked or kind != "non-negative") else None
    rounded = draw(between(0, 7)) == 7
    numbers = Numbers(shapes, digits, TAILS[0 if rounded else draw(between(0, len(TAILS) - 1))], dtype, rounded)
    if config.get("exclude_layers"):
        config["exclude_layers"] = [draw(one_of(("kernel", "ern", "^b", "s$")))]
    maker = Maker(edition, optimizer, config, numbers, constraint is not None, ANY if life.scaled else USUALLY_0)
    maker.late = life.late
    first = maker.beginning(draw(between(0, 255))) if "exclude" in life.kinds else []
    made = [event for kind, choice in played for event in maker.events(kind, choice)]
    late = maker.soon(draw(between(0, 255))) if "iterations" in life.kinds else []
    made = [*first, *made[:1], *late, *made[1:]]
    if life.drawing.clipped and made and draw(between(0, 3)):
        config |= fitted(config, made[0], draw(one_of(FACTORS)))
    if life.seeded and config.get("gradient_accumulation_steps"):  # so few steps would only be added up
        config["gradient_accumulation_steps"], made = 2, [*made, *made]
    held = numbers.variables(begin, constraint)
    if life.namesakes:
        held = [{**v, "name": NAMESAKES[i % len(NAMESAKES)]} for i, v in enumerate(held)]
        if constraint and shapes[-1]:
            held[-1]["constraint"] = constraint
    if life.overwriting:
        taken = draw(between(1, 2 ** len(held) - 1))
        held = [{**v, "overwrite_with_gradient": True} if taken >> i & 1 else v for i, v in enumerate(held)]
    case = life_of(edition, optimizer, config, held, made)
    if life.mixed:
        case = mixed(case, draw(one_of(tuple(d for d in dtypes_of(edition, optimizer) if d != dtype) or (dtype,))))
    return prolonged(case, life.long) if life.long else case


NAMESAKES = ("kernel", "kernel", "bias")
FACTORS = (0.5, 0.03, 1.0, 0.999, 2.0)


def fitted(config: Document, event: Document, factor: float) -> Document:
    """Thresholds of clipping that are so many times the norm of the gradients of a step."""
    given = [g for g in event.get("attempt", event).get("apply", ()) if isinstance(g, list)]
    norm = math.sqrt(sum(x * x for g in given for x in g if isinstance(x, float) and abs(x) < 2.0**64))
    return {name: norm * factor for name in CLIPPING if name in config} if norm else {}


def prolonged(case: Document, times: int) -> Document:
    """The case with its first event made so many times, of which the last two are kept, and all that comes after."""
    first, *others = case["events"]
    kept = list(range(times - 1, times + len(others) + 1))
    return {**case, "events": [{"repeat": times, "events": [first]}, *others], "keep": kept}


def rate_of(draw: st.DrawFn, edition: str, optimizer: str, dtype: str) -> Document:
    """Once in a while a learning rate that varies: a function, or a schedule."""
    kind = draw(one_of(("number", "number", "function", "schedule")))
    legacy_nadam = optimizer == "Nadam" and (edition == "tf2.4" or edition.endswith(".legacy"))
    if kind == "number" or legacy_nadam or optimizer == "Muon":
        return {}
    if kind == "function":
        return {"learning_rate": FUNCTION}
    name = draw(one_of(("PiecewiseConstantDecay", "ExponentialDecay", "PolynomialDecay", "CosineDecay")))
    config = USUAL_SCHEDULES[name]
    wide = dtype == "float64" and edition != "tf2.9"  # which refuses a float64 rate when it is constructed
    if wide and name in ("ExponentialDecay", "PolynomialDecay") and draw(between(0, 1)):
        config = {**config, "initial_learning_rate": {"dtype": "float64", "value": 0.1}}
    return {"learning_rate": {"class_name": name, "config": config}}


def schedule_of(draw: st.DrawFn, edition: str, dtype: str) -> Document:
    """A schedule as a learning rate, with any arguments, and for float64 variables half of the time of float64."""
    release = schedules.release(edition)
    name = draw(one_of(("PiecewiseConstantDecay", "ExponentialDecay", "PolynomialDecay", "InverseTimeDecay")))
    config = schedule_config(draw, release, name)
    first = config.get("initial_learning_rate")
    if isinstance(first, float) and dtype == "float64" and release != "tf2.9" and draw(between(0, 1)):
        config["initial_learning_rate"] = {"dtype": "float64", "value": first * A_LITTLE_LESS}
    return {"class_name": name, "config": config}


def mixed(case: Document, dtype: str) -> Document:
    """The case with every other variable, and its gradients, in this dtype; each event may fail."""

    def typed(tensor: Document) -> Document:
        numbers = [float(x.replace("Infinity", "inf")) if isinstance(x, str) else x for x in tensor["values"]]
        with np.errstate(over="ignore", under="ignore"):
            return {**tensor, "dtype": dtype, "values": flat(np.array(numbers, np.float64).astype(dtype))}

    def given(event: Document) -> Document:
        if "apply" not in event:
            return event
        found: list[Any] = []
        for i, g in zip(event.get("of", range(len(case["variables"]))), event["apply"], strict=True):
            shape = case["variables"][i]["value"]["shape"]
            if i % 2 and g is not None:
                rows = isinstance(g, dict)
                g = {**g, "values": typed(g["values"])} if rows else typed({"shape": shape, "values": g})
            found.append(g)
        return {**event, "apply": found}

    variables = [{**v, "value": typed(v["value"])} if i % 2 else v for i, v in enumerate(case["variables"])]
    events = [{"attempt": given(event.get("attempt", event))} for event in case["events"]]
    return {**case, "variables": variables, "events": events}


USUAL_SCHEDULES: dict[str, Document] = {
    "PiecewiseConstantDecay": {"boundaries": [1, 3], "values": [0.1, 0.03, 0.007]},
    "ExponentialDecay": {"initial_learning_rate": 0.1, "decay_steps": 3, "decay_rate": 0.5},
    "PolynomialDecay": {"initial_learning_rate": 0.1, "decay_steps": 4, "end_learning_rate": 0.01, "power": 2.0},
    "CosineDecay": {"initial_learning_rate": 0.1, "decay_steps": 5, "alpha": 0.1},
}


def life_of(
    edition: str, optimizer: str, config: Document, variables: list[Document], events: list[Document]
) -> Document:
    """The case in its final form, its features by what happens in it."""
    text = str(events)
    features = ["dense", *(["sparse"] if "'indices'" in text else []), *(["none"] if "None" in text else [])]
    case = {
        "flags": [],
        "optimizer": {"class_name": optimizer, "config": config},
        "variables": variables,
        "events": events or [{"apply": [v["value"]["values"] for v in variables]}],
    }
    whole = dict(finished(f"{edition}/{optimizer.lower()}/drawn", edition, case))
    others = [feature for feature in whole["features"] if feature not in features]
    others += ["constraints"] * any(v.get("constraint") for v in variables)
    others += ["overwrite"] * any("overwrite_with_gradient" in v for v in variables)
    others += ["learning_rate"] * (("'set" in text or "callable" in str(config)) and "learning_rate" not in others)
    others += ["schedules"] * ("class_name" in str(config))
    return {**whole, "features": [*features, *dict.fromkeys(others)]}


@dataclass(frozen=True)
class Numbers:
    """The digits of every number of a case, by variable and array: each stays the same whatever else is taken away."""

    shapes: Sequence[Shape]
    digits: Sequence[bytes]
    tails: np.ndarray
    dtype: str
    rounded: bool = False
    """Are all numbers halves, so that some of them meet?"""

    def array(self, variable: int, array: int, shape: Shape, scale: float) -> np.ndarray:
        """Numbers between -8 and 8 times a scale, with all the digits of the dtype."""
        count = int(np.prod(shape))
        leading = np.frombuffer(self.digits[variable], ">i2", MOST_ELEMENTS, 2 * MOST_ELEMENTS * array)
        tail = self.tails[variable % len(self.tails), array % self.tails.shape[1]]
        with np.errstate(over="ignore", under="ignore"):
            leading = leading & ~0x7FF if self.rounded else leading
            exact = (np.resize(leading, count) + np.resize(tail, count)) / 2.0**12 * scale
            return np.asarray(exact.astype(self.dtype).reshape(shape))

    def variables(self, scale: float, constraint: Document | None) -> list[Document]:
        """The variables of a case; the first one may have a constraint."""
        found = []
        for i, (name, shape) in enumerate(zip(NAMES, self.shapes, strict=False)):
            value = {"dtype": self.dtype, "shape": list(shape), "values": flat(self.array(i, 0, shape, scale))}
            held = {"constraint": constraint} if constraint and i == 0 else {}
            found.append({"name": name if scale else OTHER_NAMES[i], "value": value, **held})
        return found


class Maker:
    """Events of one case, in their order."""

    def __init__(
        self,
        edition: str,
        optimizer: str,
        config: Document,
        numbers: Numbers,
        constrained: bool,
        scales: Sequence[int],
    ) -> None:
        self.edition, self.optimizer, self.config = edition, optimizer, config
        self.numbers, self.constrained, self.scales = numbers, constrained, scales
        self.count = 0
        self.latest: list[np.ndarray] = []
        self.averaged = bool(config.get("use_ema"))
        self.late = False

    def events(self, kind: str, choice: int) -> list[Document]:
        """The event of a kind, if it makes sense here; `choice` picks one of its forms."""
        if kind == RESUMING:
            ways = serialization.ways_of_resuming(self.edition)
            return [{"resume": ways[choice % len(ways)]}]
        change = getattr(self, kind) if kind in (*CHANGES, ASSIGNING) else None
        if change:
            event = change(choice)
            return [] if event is None else [{"attempt": event}]
        if self.count == MOST_STEPS:
            return []
        if kind in JUMPS and self.count:
            if kind == "beyond":
                form = ("apply", "sparse")[choice // 4 % 2]
                return [{"attempt": {"set_iterations": BEYOND[choice % 4]}}, *self.events(form, choice // 8)]
            to = {"late": LATE, "far": FAR_STEPS}[kind][choice % 4] if kind != "jump" else choice**2 // 3
            return [{"attempt": {"set_iterations": to}}, *self.events(("grown", "zero")[choice >> 7], choice // 4)]
        self.count += 1
        scales = (*SCALES.get(self.numbers.dtype, ORDINARY), *EXTREME[self.numbers.dtype])
        scale = float(scales[self.scales[choice >> 4]])
        shapes = self.numbers.shapes
        gradients = [self.numbers.array(i, self.count, shape, scale) for i, shape in enumerate(shapes)]
        form = (
            {
                "some": "apply",
                "order": "apply",
                "none": "apply",
                "jump": "apply",
                "late": "apply",
                "far": "apply",
                "beyond": "apply",
            }.get(kind, kind)
            if self.count == 1 and not (self.late and kind in FEWER)
            else kind
        )
        return [getattr(self, f"_{form}")(gradients, choice)]

    def beginning(self, choice: int) -> list[Document]:
        """With weight decay, half of the time, first of all some variables are spared it, once or twice."""
        default = arguments_of(self.edition, self.optimizer).get("weight_decay", {}).get("default")
        if choice % 2 == 0 or self.config.get("weight_decay", default) is None:
            return []
        spared = [self.exclude(choice >> 1), *([self.exclude(choice >> 3)] if choice % 4 == 3 else [])]
        return [{"attempt": event} for event in spared if event]

    def soon(self, choice: int) -> list[Document]:
        """A quarter of the time the counter of steps jumps, as soon as there is one."""
        return [{"attempt": self.iterations(choice >> 2)}] if choice % 4 == 3 else []

    def _given(self, gradients: list[np.ndarray]) -> Document:
        self.latest = gradients
        return {"apply": [flat(g) for g in gradients]}

    def _apply(self, gradients: list[np.ndarray], _: int) -> Document:
        return self._given(gradients)

    def _zero(self, gradients: list[np.ndarray], _: int) -> Document:
        """Gradients that are 0, some of them of the other sign."""
        return self._given([g * g.dtype.type(0) if np.isfinite(g).all() else np.zeros_like(g) for g in gradients])

    def _zeros(self, gradients: list[np.ndarray], choice: int) -> Document:
        """Every other element is 0."""
        given = [g.copy() for g in gradients]
        for g in given:
            g.reshape(-1)[choice % 2 :: 2] = 0
        return self._given(given)

    def _again(self, gradients: list[np.ndarray], _: int) -> Document:
        """The gradients of the step before."""
        return self._given(self.latest or gradients)

    def _grown(self, gradients: list[np.ndarray], choice: int) -> Document:
        """The gradients of the step before, larger, smaller, or of the other sign."""
        with np.errstate(over="ignore", under="ignore"):
            return self._given(
                [g * g.dtype.type((-1.0, 2.0, 0.5, -0.25)[choice % 4]) for g in self.latest or gradients]
            )

    def _spoiled(self, gradients: list[np.ndarray], choice: int) -> Document:
        """Now and then one element that is infinite, or not a number: what is not finite hides what comes after."""
        place = (choice >> 2) % len(gradients)
        if gradients[place].size and choice >= 128:
            gradients[place].reshape(-1)[0] = (np.inf, -np.inf, np.nan, np.inf)[choice % 4]
        return self._given(gradients)

    def _none(self, gradients: list[np.ndarray], choice: int) -> Document:
        """One variable has no gradient."""
        given: list[Any] = [flat(g) for g in gradients]
        given[choice % len(given)] = None
        return {"attempt": {"apply": given}}

    def _twice(self, gradients: list[np.ndarray], _: int) -> Document:
        """The first variable is given twice, with two gradients."""
        of = [0, *range(len(gradients))]
        return {"attempt": {"apply": [flat(-gradients[0]), *map(flat, gradients)], "of": of}}

    def _nothing(self, gradients: list[np.ndarray], _: int) -> Document:
        """No variable is given at all."""
        return {"attempt": {"apply": [], "of": []}}

    def _some(self, gradients: list[np.ndarray], choice: int) -> Document:
        """Only some of the variables are given."""
        of = [i for i in range(len(gradients)) if i != choice % len(gradients)] or [0]
        return {"attempt": {"apply": [flat(gradients[i]) for i in of], "of": of}}

    def _order(self, gradients: list[np.ndarray], choice: int) -> Document:
        """The variables are given in another order."""
        of = list(np.roll(range(len(gradients)), 1 + choice % 2).tolist())
        return {"attempt": {"apply": [flat(gradients[i]) for i in of], "of": of}}

    def _sparse(self, gradients: list[np.ndarray], choice: int) -> Document:
        """Some rows of one variable or of all: in and out of order, one twice, all, none."""
        if self.config.get("loss_scale_factor") or (self.constrained and self.edition not in NEW):
            return self._given(gradients)
        only = choice % (len(gradients) + 1)
        given: list[Any] = []
        for i, gradient in enumerate(gradients):
            if gradient.ndim == 0 or i == only - 1:
                given.append(flat(gradient))
                continue
            indices = ROWS[(choice + i) % len(ROWS)](len(gradient))
            rows = np.resize(gradient, (len(indices), *gradient.shape[1:]))
            tensor = {"dtype": self.numbers.dtype, "shape": list(rows.shape), "values": flat(rows)}
            given.append({"indices": indices, "values": tensor})
        return {"apply": given}

    def rate(self, choice: int) -> Document:
        """The learning rate is another number."""
        return {"set": {"learning_rate": RATES[choice % len(RATES)]}}

    def iterations(self, choice: int) -> Document:
        """The counter of steps jumps."""
        return {"set_iterations": COUNTS[choice % len(COUNTS)]}

    def assign(self, choice: int) -> Document | None:
        """An option is overwritten, whatever the optimizer: with a value as usual, at an end, or none of the others."""
        found = {**OVERWRITTEN.get(self.optimizer, {}), **OPTIONS}
        names = [name for name in found if (name, self.optimizer) != ("momentum", "SGD") or self.config.get("momentum")]
        names = [name for name in names if name in arguments_of(self.edition, self.optimizer)]
        if not names:
            return None
        name = names[choice % len(names)]
        return {"set": {name: (found[name], *ASSIGNED.get(name, ()))[choice // 64 % (1 + len(ASSIGNED.get(name, ())))]}}

    def hyper(self, choice: int) -> Document | None:
        """An option is overwritten."""
        known = OVERWRITTEN.get(self.optimizer, {})
        names = [name for name in known if (name, self.optimizer) != ("momentum", "SGD") or self.config.get("momentum")]
        names = [*names, *(OPTIONS if self.optimizer in ("SGD", "Adam") else ())]
        names = [name for name in names if name in arguments_of(self.edition, self.optimizer)]
        found = {**known, **OPTIONS}
        return {"set": {names[choice % len(names)]: found[names[choice % len(names)]]}} if names else None

    def finalize(self, choice: int) -> Document | None:
        """What training does at its end."""
        count = len(self.numbers.shapes)
        some = {"of": [choice % count]} if choice & 64 and count > 1 else {}
        return {"finalize": True, **some} if self.averaged and self.count else None

    def exclude(self, choice: int) -> Document | None:
        """A variable is spared weight decay, by itself or by a pattern of its name."""
        if self.count or "weight_decay" not in arguments_of(self.edition, self.optimizer):
            return None
        return {"exclude": SPARED[choice % len(SPARED)]}


NEW = ("tf2.9", "tf2.12", "tf2.15", "keras3")
USUALLY_0 = (0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4)
"""Which of the scales a gradient has: squares of the largest are infinite, and what comes after is hidden."""
ANY = (0, 1, 2, 3, 4, 0, 1, 2, 3, 3, 0, 1, 2, 3, 3, 1)
OPTIONS: Document = {
    "ema_momentum": 0.25,
    "weight_decay": 0.1,
    "clipnorm": 0.5,
    "clipvalue": 0.5,
    "global_clipnorm": 0.5,
    "decay": 0.25,
    "nesterov": True,
    "lr": 0.03,
}
"""Options of the pipeline that are overwritten, and with what."""
ASSIGNED: dict[str, tuple[float, ...]] = {
    "ema_momentum": (0.0, 1.0),
    "weight_decay": (0.0, -0.5),
    "clipnorm": (0.03, 24.8),
    "clipvalue": (0.03, 24.8),
    "global_clipnorm": (0.03, 24.8),
    "decay": (0.0, 2.0),
    "beta_1": (0.0, 0.999),
    "beta_2": (0.0, 0.999),
    "rho": (0.0, 0.999),
    "momentum": (0.0, 1.0),
}
"""And with what else."""
SPARED: tuple[Document, ...] = (
    {"names": ["kernel"]},
    {"names": ["ias", "^k"]},
    {"variables": [0]},
    {"names": ["e.$"]},
    {"names": ["bias"], "variables": [0]},
    {"names": ["^b"]},
    {"names": ["l$", "s$"]},
    {"names": ["embed", "KERNEL"]},
    {"names": ["k"], "variables": [1]},
    {"names": ["kern.l", "table"]},
)
"""Who is spared weight decay: by patterns, all or some of which are found in a name, or themselves."""
ROWS: tuple[Callable[[int], list[int]], ...] = (
    lambda n: [0],
    lambda n: [n - 1, 0, n - 1],
    lambda n: [0, 0],
    lambda n: list(range(n))[::-1],
    lambda n: [n // 2],
    lambda n: [0, n - 1, 0, n - 1, n - 1],
    lambda n: [],
    lambda n: [n - 1, n // 2] if n > 1 else [0],
    lambda n: list(range(n)),
)


# ---- schedules -----------------------------------------------------------------------------------------------


@functools.cache
def schedule_lives(edition: str, names: tuple[str, ...], calls: Calls) -> st.SearchStrategy[Document]:
    """Cases of these schedules of an edition, as `spec/schemas/schedule_case.schema.json` has them."""
    if calls.everywhere:
        return somewhere(edition, names, calls.dtypes)
    return called_schedule(edition, names, calls)


@st.composite
def called_schedule(draw: st.DrawFn, edition: str, names: tuple[str, ...], calls: Calls) -> Document:
    """A case, drawn."""
    name = draw(one_of(names))
    config = schedule_config(draw, edition, name)
    dtype = draw(one_of(calls.dtypes))
    wide = {**config, **widened(draw, config)} if calls.wide else config
    if not schedule_cases.refused(edition, name, wide):
        config = wide
    if calls.infinite and "values" in config:
        config["values"] = [draw(st.sampled_from((value, *schedule_cases.ENDLESS, 1e39))) for value in config["values"]]
    landmarks = schedule_cases.landmarks(schedule_cases.full(edition, name, config))
    steps = sorted({*landmarks, *(draw(between(0, 4096)) for _ in range(6))})
    return schedule_cases.finished(edition, name, "drawn", config, schedule_cases.typed(steps, dtype))


def widened(draw: st.DrawFn, config: Document) -> Document:
    """Numbers that float64 alone holds, the first rate as one of them; boundaries that float32 does not hold."""
    found: Document = {name: config[name] * A_LITTLE_LESS for name in PURE if type(config.get(name)) is float}
    if "decay_steps" in config and draw(between(0, 1)):
        found["decay_steps"] = draw(one_of((2**25 + 2, config["decay_steps"] * A_LITTLE_LESS)))
    if "initial_learning_rate" in found and draw(between(0, 2)):
        found["initial_learning_rate"] = {"dtype": "float64", "value": found["initial_learning_rate"]}
    if "boundaries" in config and draw(between(0, 3)):
        start = draw(one_of(FAR_BOUNDARIES))
        found["boundaries"] = [start + 2 * n + 1 for n in range(len(config["boundaries"]))]
    return found


A_LITTLE_LESS = 0.99319462831
PURE = ("initial_learning_rate", "alpha", "decay_rate", "end_learning_rate", "power", "m_mul", "warmup_target")
FAR_BOUNDARIES = (2**24, 2**25, 2**31 - 6, 2**30)


def schedule_config(draw: st.DrawFn, edition: str, name: str) -> Document:
    """The usual arguments, some of them replaced by a sample or by anything in their range; never a refused one."""
    own = {entry["name"]: entry for entry in schedules.arguments(name, edition)}
    config = {argument: entry["usual"] for argument, entry in own.items() if "usual" in entry}
    config |= schedules.schedules()[name].get("random", {}).get("unless", {})
    fixed = {"name", "boundaries", "values", *schedules.schedules()[name].get("random", {}).get("unless", {})}
    for argument, entry in own.items():
        if argument in fixed or not draw(one_of((False, True))):
            continue
        if entry["type"] == "float" and draw(one_of((True, False))):
            low = float(entry.get("minimum", entry.get("exclusiveMinimum", 0.0) + 2.0**-10))
            reach = float(entry.get("maximum", low + 2.0)) - low
            drawn: Any = low + int.from_bytes(draw(three_bytes), "big") / 2.0**24 * reach
        else:
            drawn = draw(one_of(tuple(entry["samples"])))
        if not schedule_cases.refused(edition, name, {**config, argument: drawn}):
            config[argument] = drawn
    if "boundaries" in config:
        between_them = sorted({draw(between(0, 40)) for _ in range(draw(between(1, 3)))})
        values = [int.from_bytes(draw(three_bytes), "big") / 2.0**24 for _ in range(len(between_them) + 1)]
        config |= {"boundaries": between_them, "values": values}
    return config


def in_release(edition: str) -> list[str]:
    """The schedules of an edition that is a release's own; a `.legacy` edition has none."""
    return list(schedules.available(edition)) if edition == schedules.release(edition) else []
