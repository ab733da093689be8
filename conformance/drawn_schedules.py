"""Schedules drawn from the specification with arguments of every kind, and called everywhere.

    somewhere("keras3", ("CosineDecay",), Calls(everywhere=True))      before step 0, at each landmark, far beyond

Each argument has its own stream of numbers: a case shrinks to the fewest arguments that are not the usual ones, whose
values stay as they were.
"""

from __future__ import annotations

import functools
import math
import random
from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st

from goldenstep.golden import schedule_cases
from goldenstep.spec import schedule as schedules

from .strategies import Document, between, one_of

BEFORE = (-1, -2, -3, -7, -10, -11, -37, -1000)
BEYOND = (10**6, 2**24 + 1, 2**25 + 3, 2**31 - 1, 2**31, 2**40 + 1)
MOST = 16
"""Steps of a case; those around the landmarks come first."""
RATES = ("float", "float", "float", "float64", "float64", "float16", "float32", "int")
LENGTHS = (1, 2, 3, 10.5, 0.5, 7.3194628, 26.8841337, 1000, 2**25 + 2, 2**26)
WARMUPS = (0, 1, 3, 5, 4.7193462)
ENDS = (0.0, 0.0, 1.0, 0.5, -0.5)
NEARLY_EQUAL = (1.0, 1 + 2.0**-10, 1 + 2.0**-22)
"""Waves of almost one length."""


@functools.cache
def somewhere(edition: str, names: tuple[str, ...], dtypes: tuple[str, ...]) -> st.SearchStrategy[Document]:
    """Cases of these schedules of an edition, as `spec/schemas/schedule_case.schema.json` has them."""
    return called_somewhere(edition, names, dtypes)


@st.composite
def called_somewhere(draw: st.DrawFn, edition: str, names: tuple[str, ...], dtypes: tuple[str, ...]) -> Document:
    """A case, drawn."""
    name = draw(one_of(names))
    own = {entry["name"]: entry for entry in schedules.arguments(name, edition)}
    config = {argument: entry["usual"] for argument, entry in own.items() if "usual" in entry}
    config |= schedules.schedules()[name].get("random", {}).get("unless", {})
    fixed = {"name", "values", *schedules.schedules()[name].get("random", {}).get("unless", {})}
    free = tuple(argument for argument in own if argument not in fixed)
    each, seed = between(0, 2 ** len(free) - 1), draw(st.binary(max_size=2)).hex()
    dtype, changed = draw(one_of(dtypes)), draw(each) | draw(each)
    for argument in (argument for index, argument in enumerate(free) if changed >> index & 1):
        drawn = value(random.Random(f"{seed} {argument}"), own[argument])
        if not schedule_cases.refused(edition, name, {**config, **drawn}):
            config |= drawn
    called = steps(random.Random(seed), schedule_cases.full(edition, name, config), dtype)
    return schedule_cases.finished(edition, name, "drawn", config, called)


def value(stream: random.Random, entry: Document) -> Document:
    """An argument, and `values` beside `boundaries`: all digits, a sample, an end, or none."""
    name, samples = entry["name"], entry["samples"]
    if name == "boundaries":
        return pieces(stream)
    if entry.get("optional") and stream.random() < 0.2:
        return {name: None}
    if entry["type"] == "bool":
        return {name: stream.random() < 0.6}
    if "steps" in name:
        known = WARMUPS if entry.get("default") == 0 else LENGTHS
        return {name: stream.choice([*known, *samples, 1 + stream.random() * 40])}
    low = float(entry.get("minimum") or entry.get("exclusiveMinimum") or 0.0)
    high = float(entry.get("maximum", low + 2.0))
    digits = low + (high - low) * stream.random()
    if name == "initial_learning_rate":
        return {name: rate(stream, digits)}
    ends = NEARLY_EQUAL if name == "t_mul" else ENDS
    return {name: stream.choice([digits, digits, digits, *samples, *ends])}


def rate(stream: random.Random, digits: float) -> Any:
    """A first rate of any dtype."""
    dtype = stream.choice(RATES)
    number = stream.choice([digits, digits, digits, 0.0, 1e-30, 1.0])
    if dtype == "int":
        return stream.choice([1, 2, 3])
    if dtype == "float":
        return number
    return {"dtype": dtype, "value": float(np.dtype(dtype).type(number)) if dtype != "float64" else number}


def pieces(stream: random.Random) -> Document:
    """Boundaries that rise, some of them twice, between two steps, or where float32 comes to its end; and values."""
    count = stream.randint(1, 4)
    start = stream.choice((-20, 0, 0, 0, 2**24 - 2, 2**31 - 40))
    whole = sorted(start + stream.randint(0, 30) for _ in range(count))
    low: list[Any] = stream.choice(([x + 0.5 for x in whole], whole, whole, [float(x) for x in whole]))
    values = [stream.choice((stream.uniform(-1, 2), 0.0, 1e-30, stream.random())) for _ in range(count + 1)]
    return {"boundaries": low, "values": stream.choice((values, values, values, [int(3 * x) for x in values]))}


def steps(stream: random.Random, config: Document, dtype: str) -> Document:
    """Steps of a dtype: before 0, at and next to where the schedule bends, between and far beyond."""
    marks = [mark for mark in schedule_cases.boundaries(config) if math.isfinite(mark)]
    around = [math.floor(mark) + more for mark in marks for more in (-1, 0, 1, 2)]
    last = max(1, min(int(max(marks, default=1)), 2**30))
    between_them = [stream.randint(0, last) for _ in range(6)]
    found: list[Any] = [0, 1, *sampled(stream, around, 7), *sampled(stream, [*BEFORE, *between_them, *BEYOND], 7)]
    if "int" not in dtype:
        near = [mark * factor for mark in marks for factor in (1.0, 1 - 2.0**-23, 1 + 2.0**-22, 0.37, 1 - 2.0**-21)]
        found = [*sampled(stream, near, 6), -0.5, 0.5, *found]
    return typed(found[:MOST], dtype)


def sampled(stream: random.Random, found: Sequence[Any], most: int) -> list[Any]:
    """Some of them."""
    return stream.sample(list(found), min(most, len(found)))


def typed(found: Sequence[Any], dtype: str) -> Document:
    """Those that the dtype holds, in order; "int" and "float" are Python's."""
    if "int" in dtype:
        reach = 2**63 if dtype in ("int64", "int") else 2 ** (int(dtype[3:]) - 1)
        return {"dtype": dtype, "values": sorted({int(x) for x in found if -reach <= x < reach})}
    kept = [float(x) for x in found if dtype != "float16" or abs(x) < 2**15]
    return {"dtype": dtype, "values": sorted({float(np.dtype(dtype).type(x)) if dtype != "float" else x for x in kept})}
