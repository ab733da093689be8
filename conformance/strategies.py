"""Cases drawn from the specification: hypothesis strategies for everything that a case may vary.

    cases("keras3", ("Adam", "SGD"), Drawing())                        any config, pipeline, dtype, shapes, gradients
    cases("keras3", ("Adam",), Drawing(pipeline=(), dtypes=VECTORS))   only what a property asks for

A config comes from the hyperparameters' types, ranges and samples, the pipeline's options from the edition's
arguments. Everything shrinks to the defaults, one variable, one step, and small round numbers.
"""

from __future__ import annotations

import functools
import math
import os
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.database import DirectoryBasedExampleDatabase, ExampleDatabase

from goldenstep import spec
from goldenstep.golden.cases import finished
from goldenstep.golden.codec import flat
from goldenstep.golden.drawing import dtypes_of, features_of

Document = dict[str, Any]
Shape = tuple[int, ...]

NAMES = ("kernel", "bias", "embedding", "scale", "gamma", "beta", "mean", "variance", "query")
SHAPES: tuple[Shape, ...] = ((3,), (), (1,), (8,), (11,), (2, 3), (5, 2), (2, 1, 2))
VECTORS: tuple[Shape, ...] = ((3,), (1,), (8,), (11,))
CLIPPING = ("clipvalue", "clipnorm", "global_clipnorm")
AVERAGING = ("use_ema", "ema_overwrite_frequency")
PIPELINE = (*CLIPPING, *AVERAGING, "weight_decay", "decay", "gradient_accumulation_steps", "loss_scale_factor")
AVERAGES_BY_POSITION = ("tf2.9", "tf2.12")
"""Editions that mistake the variables for one another when one of them has no gradient: as shipped, see tf2.12."""
MARGIN = 2.0**-13
"""How far a drawn number stays from a bound that it must not reach."""

COMMON = settings(
    database=None,
    deadline=None,
    print_blob=False,
    report_multiple_bugs=False,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
)
settings.register_profile("goldenstep", COMMON, max_examples=4)
settings.register_profile("goldenstep-deep", COMMON, max_examples=40)


def examples_database() -> ExampleDatabase:
    """Where the long search keeps its failures: a directory, or the Redis that GOLDENSTEP_REDIS names (host:port)."""
    address = os.environ.get("GOLDENSTEP_REDIS")
    if not address:
        return DirectoryBasedExampleDatabase(os.environ.get("GOLDENSTEP_EXAMPLES", ".hypothesis/examples"))
    from hypothesis.extra.redis import RedisExampleDatabase
    from redis import Redis

    host, _, port = address.partition(":")
    return RedisExampleDatabase(Redis(host, int(port or 6379)))


if os.environ.get("GOLDENSTEP_FUZZ"):
    search = settings(COMMON, database=examples_database(), phases=(Phase.reuse, Phase.generate, Phase.shrink))
    settings.register_profile("goldenstep-fuzz", search, max_examples=40)


@dataclass(frozen=True)
class Drawing:
    """What a property asks of the cases that it is judged on."""

    pipeline: tuple[str, ...] = PIPELINE
    """Options of the pipeline that a config may hold."""
    config: tuple[tuple[str, tuple[Any, ...]], ...] = ()
    """Arguments that every config holds, where the optimizer has them: each with the values to choose from.

    None among them is for leaving it out."""
    needs: tuple[str, ...] = ()
    """Arguments without which the property says nothing about an optimizer."""
    fixed: tuple[str, ...] = ()
    """Hyperparameters that stay at their defaults."""
    dtypes: tuple[str, ...] = ("float32", "float64", "float16")
    shapes: tuple[Shape, ...] = SHAPES
    variables: tuple[int, int] = (1, 3)
    steps: tuple[int, int] = (1, 4)
    missing: bool = False
    """May a variable have no gradient, from the second step on?"""
    extreme: bool = False
    """May gradients be as small or large as the dtype allows, infinite, or not a number?"""
    at_zero: bool = False
    """May variables start at 0, where the first step shows every bit of an update?"""
    edges: bool = False
    """Are the least and the greatest values of a hyperparameter as likely as any other?"""
    corners: bool = False
    """Are they, and what is next to them, likelier than any other?"""
    clipped: bool = False
    """Are gradients always clipped?"""
    digits: bool = False
    """Is every number of a config there, with all its digits, near one of its samples?"""


@functools.cache
def cases(edition: str, optimizers: tuple[str, ...], drawing: Drawing) -> st.SearchStrategy[Document]:
    """Cases of these optimizers of an edition, as `spec/schemas/case.schema.json` has them."""
    return one_case(edition, optimizers, drawing)


@st.composite  # once: it reads its own source
def one_case(draw: st.DrawFn, edition: str, optimizers: tuple[str, ...], drawing: Drawing) -> Document:
    """A case, drawn."""
    optimizer = draw(one_of(optimizers))
    dtype = draw(one_of(tuple(d for d in dtypes_of(edition, optimizer) if d in drawing.dtypes)))
    config = config_of(draw, edition, optimizer, drawing)
    steps = draw(between(*drawing.steps))
    scales = [scale(draw, dtype, drawing.extreme) for _ in range(MOST_STEPS)]
    shapes, digits = zip(*draw(some_variables(drawing)), strict=True)
    tails = TAILS[draw(between(0, len(TAILS) - 1))]

    begin = draw(one_of((1.0, 0.0))) if drawing.at_zero else 1.0

    def values(variable: int, array: int, scale: float) -> list[Any]:
        return numbers(digits[variable], tails[variable], array, shapes[variable], dtype, scale)

    events = [
        {"apply": [values(variable, 1 + step, scales[step]) for variable in range(len(shapes))]}
        for step in range(steps)
    ]
    if drawing.extreme:
        spoil(draw, events)
    if drawing.missing and not (config.get("use_ema") and edition in AVERAGES_BY_POSITION):
        leave_out(draw, events)
    return dict(
        finished(
            f"{edition}/{optimizer.lower()}/drawn",
            edition,
            {
                "features": ["dense", *needed(config, events)],
                "flags": [],
                "optimizer": {"class_name": optimizer, "config": config},
                "variables": [
                    {
                        "name": name,
                        "value": {"dtype": dtype, "shape": list(shape), "values": values(variable, 0, begin)},
                    }
                    for variable, (name, shape) in enumerate(zip(NAMES, shapes, strict=False))
                ],
                "events": events,
            },
        )
    )


def needed(config: Document, events: list[Document]) -> list[str]:
    """The features, beside dense gradients, that a config and events ask for: who lacks one is not asked."""
    called = [event.get("attempt", event) for event in events]
    gradients = [gradient for event in called for gradient in event.get("apply", ())]
    asked = {
        "none": None in gradients or any("of" in event for event in called),
        "sparse": any(isinstance(gradient, dict) and "indices" in gradient for gradient in gradients),
        "learning_rate": any({"set", "set_iterations"} & set(event) for event in called),
        "ema": any("finalize" in event for event in called),
        "weight_decay": any("exclude" in event for event in called),
        "resume": any("resume" in event for event in called),
    }
    return list(dict.fromkeys([*features_of(config), *(feature for feature, there in asked.items() if there)]))


# Strategies are made once: making and checking them takes longer than drawing from them.
def one_of(choices: tuple[Any, ...]) -> st.SearchStrategy[Any]:
    """One of some choices; the first is the simplest."""
    return _one_of(choices, repr(choices))


@functools.cache
def _one_of(choices: tuple[Any, ...], text: str) -> st.SearchStrategy[Any]:
    """The text tells (1.0,) from (True,), which are equal."""
    return st.sampled_from(choices)


def several(draw: st.DrawFn, choices: tuple[str, ...], first: int, many: bool = False) -> list[str]:
    """None of the choices, about a quarter of them, or half; the one to begin with is the `first`.

    Where they shall be `many`: a quarter of them, half, or three quarters.
    """
    each = between(0, 2 ** len(choices) - 1)
    density = draw(between(0, 2))
    if many:
        mask = draw(each) & draw(each) if density == 0 else draw(each) | (draw(each) if density == 2 else 0)
    else:
        mask = (draw(each) if density else 0) & (draw(each) if density == 1 else -1)
    found = [name for index, name in enumerate(choices) if mask >> index & 1]
    return [*found[first:], *found[:first]]


between = functools.cache(st.integers)
three_bytes = st.binary(min_size=3, max_size=3)
MOST_ELEMENTS, MOST_STEPS = 11, 4
"""Each array is drawn with the digits of so many elements, and each variable with its gradients of so many steps,
however few there are: so whatever is taken away, the rest stays as it was."""


@functools.cache
def some_variables(drawing: Drawing) -> st.SearchStrategy[list[tuple[Shape, bytes]]]:
    """Shapes, each with the leading digits, two bytes each, of the first value and of all gradients."""
    length = 2 * MOST_ELEMENTS * (1 + MOST_STEPS)
    one = st.tuples(st.sampled_from(drawing.shapes), st.binary(min_size=length, max_size=length))
    return st.lists(one, min_size=drawing.variables[0], max_size=drawing.variables[1])


def made_tails() -> np.ndarray:
    """The digits after the leading ones, between 0 and 1: none at all, or one of some rows of random ones."""
    stream = random.Random("the last digits")
    shape = (16, 3, 1 + MOST_STEPS, MOST_ELEMENTS)
    tails = np.array([stream.random() for _ in range(math.prod(shape))]).reshape(shape)
    tails[0] = 0
    return tails


TAILS = made_tails()


def config_of(draw: st.DrawFn, edition: str, optimizer: str, drawing: Drawing) -> Document:
    """A config that the constructor takes: what the drawing asks for, a few hyperparameters, a few options."""
    own = (*spec.hyperparameters(optimizer, edition), *spec.own_keyword_arguments(optimizer, edition))
    arguments = arguments_of(edition, optimizer)
    asked = {name: draw(one_of(tuple(choices))) for name, choices in drawing.config if name in arguments}
    fixed = {*asked, *drawing.fixed, *(set(PIPELINE) - set(drawing.pipeline))}
    free = tuple(name for name in own if name not in fixed)
    chosen = several(draw, free, 0, drawing.corners)
    if drawing.digits:
        chosen += [name for name in free if arguments_of(edition, optimizer)[name]["type"] == "float"]
    config = {name: value(draw, edition, optimizer, name, drawing) for name in own if name in chosen}
    options = tuple(name for name in drawing.pipeline if name in arguments and name not in (*own, *asked))
    chosen = several(draw, options, draw(between(0, len(CLIPPING) - 1)))
    for name in [draw(one_of(CLIPPING)), *chosen] if drawing.clipped else chosen:
        more: Document = {"use_ema": True} if name in AVERAGING else {}
        more[name] = True if name == "use_ema" else value(draw, edition, optimizer, name, drawing)
        if name == "use_ema":
            more["ema_momentum"] = value(draw, edition, optimizer, "ema_momentum", drawing)
        if not refused({**config, **asked, **more}, edition, optimizer):
            config |= more
    return {**config, **{name: given for name, given in asked.items() if given is not None}}


@functools.cache
def arguments_of(edition: str, optimizer: str) -> dict[str, Document]:
    """Every argument of a constructor but the name, which changes nothing of what it computes."""
    return {name: argument for name, argument in spec.taken(optimizer, edition).items() if name != "name"}


def refused(config: Mapping[str, Any], edition: str, optimizer: str) -> bool:
    """Does the constructor refuse this combination of clippings?"""
    given = {name for name in CLIPPING if name in config}
    together = [set(entry["given"]) for entry in spec.errors(edition, optimizer, "construct")]
    return any(len(names) > 1 and names <= given for names in together)


EDGES = dict.fromkeys(CLIPPING, (0.0, 24.8, 0.3, 0.001)) | {"weight_decay": (0.0, -0.5, 0.5)}
"""Where something might begin to differ, if not at the ends of the range: thresholds also above any gradient."""


CORNERS = {"rho": (1.0,), "ema_momentum": (0.999,), "weight_decay": (0.0, -0.5, 2.0)}
NEAR = 2.0**-10
"""How far from an end its neighbour is: a power of it at a thousand steps is still a number."""


def corners_of(name: str, low: float, high: float) -> tuple[float, ...]:
    """The ends of a range, and what lies beside them; at a rate of 0 nothing would be seen."""
    if name == "learning_rate":
        return high, low + NEAR, 0.5
    return (*CORNERS.get(name, EDGES.get(name, ())), low, high, low + NEAR, high - NEAR)


def value(draw: st.DrawFn, edition: str, optimizer: str, name: str, drawing: Drawing) -> Any:
    """A value of an argument: one of its samples, or anything in its range, or an end of that."""
    kind, samples, low, high = range_of(edition, optimizer, name)
    if drawing.digits and kind == "float":
        near = next((x for x in samples if isinstance(x, float) and x and low <= x / 2 <= high), high)
        return near * (0.5 + int.from_bytes(draw(three_bytes), "big") / 2**25)
    if drawing.corners and kind == "float" and draw(between(0, 3)):
        return draw(one_of(corners_of(name, low, high)))
    if drawing.edges and kind == "float" and draw(between(0, 2)) == 2:
        return draw(one_of(EDGES.get(name, tuple(x for x in (low, high, 0.5) if low <= x <= high))))
    if samples and (kind not in ("float", "int") or draw(one_of((True, False)))):
        sample = draw(one_of(samples))
        return list(sample) if isinstance(sample, tuple) else sample
    if kind == "int":
        return draw(between(low, high))
    return low + (high - low) * (int.from_bytes(draw(three_bytes), "big") / (2**24 - 1))


@functools.cache
def range_of(edition: str, optimizer: str, name: str) -> tuple[str, tuple[Any, ...], Any, Any]:
    """Type, samples, least and greatest value to draw of an argument."""
    entry = arguments_of(edition, optimizer)[name]
    samples = tuple(tuple(s) if isinstance(s, list) else s for s in entry.get("samples", ()))
    if entry["type"] == "bool":
        return "bool", (not entry["default"],), None, None
    if entry["type"] == "int":
        low = entry.get("minimum", 0)
        return "int", samples, low, min(entry.get("maximum", low + 3), low + 3)
    low = float(entry["minimum"]) if "minimum" in entry else entry.get("exclusiveMinimum", -2.0) + MARGIN
    low = MARGIN if name in CLIPPING else low
    high = float(entry["maximum"]) if "maximum" in entry else entry.get("exclusiveMaximum", low + 2.0 + MARGIN) - MARGIN
    return entry["type"], samples, low, high


def numbers(digits: bytes, tails: np.ndarray, array: int, shape: Shape, dtype: str, scale: float) -> list[Any]:
    """Numbers between -8 and 8, times a power of two, with all the digits of the dtype; few of them are 0."""
    count = math.prod(shape)
    leading = np.frombuffer(digits, ">i2", count, 2 * MOST_ELEMENTS * array)
    with np.errstate(over="ignore", under="ignore"):
        return flat(((leading + tails[array, :count]) / 2.0**12 * scale).astype(dtype))


SCALES = {"float16": (1.0, 2.0**-4, 2.0**2)}
ORDINARY = (1.0, 2.0**-12, 2.0**12)
EXTREME = {"float16": (2.0**-10, 2.0**6), "float32": (2.0**-62, 2.0**62), "float64": (2.0**-510, 2.0**510)}
"""Where some squares, or the sum of them, are too small or too large for the dtype, and some are not."""


def scale(draw: st.DrawFn, dtype: str, extreme: bool) -> float:
    """The magnitude of the gradients of a step."""
    return float(draw(one_of((*SCALES.get(dtype, ORDINARY), *(EXTREME[dtype] if extreme else ())))))


def spoil(draw: st.DrawFn, events: list[Document]) -> None:
    """Once in a while, make an element of a gradient infinite, or no number."""
    gradients = events[draw(between(0, len(events) - 1))]["apply"]
    if draw(between(0, 9)) == 9 and gradients[0]:
        gradients[0][0] = draw(one_of(("NaN", "Infinity", "-Infinity")))


def leave_out(draw: st.DrawFn, events: list[Document]) -> None:
    """From the second step on, leave out a gradient now and then, but not the only one."""
    for event in events[1:]:
        if len(event["apply"]) > 1 and draw(between(0, 1)):
            event["apply"][draw(between(0, len(event["apply"]) - 1))] = None
