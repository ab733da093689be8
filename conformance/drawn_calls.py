"""Calls drawn from the specification: what is asked of an optimizer's config, or of its state as weights.

    called_optimizers("keras3", ("Adam",), Asked("config"))      arguments of every kind, and the config in between

Each argument has its own stream of numbers, and what is asked is a list: so a case shrinks to the fewest arguments and
calls, whose values stay as they were.
"""

from __future__ import annotations

import functools
import itertools
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from goldenstep import spec
from goldenstep.golden.drawing import dtypes_of, typed
from goldenstep.golden.serialization_cases import FIXED
from goldenstep.golden.serialization_cases import entries as entries_of
from goldenstep.spec import schedule as schedules
from goldenstep.spec import serialization
from goldenstep.spec.layout import Entry

from .strategies import CLIPPING, NAMES, Document, Drawing, Shape, between, config_of, one_of, refused, several

Call = dict[str, Any]
MOST_CALLS = 5
SHAPES: tuple[Shape, ...] = ((2, 2), (3,), (), (2, 3), (3,))
STATELESS = ("gradient_aggregator", "gradient_transformers", "schedule_decay")
"""Arguments that no config holds; of Nadam's schedule_decay see E-062."""
COUNTS = (7, 2**24 + 1, 2**31 + 7, 2**40 + 3, 0, 999)
"""Numbers of steps, some of which float32 or int32 does not hold."""
ODD: tuple[Any, ...] = (1, 0, 2, {"$float32": 0.3}, {"$float64": 0.3}, {"$float32": 0.0}, 1e-45, 1e30, 0.0)
"""Numbers as they are seldom given: of another type, or at the ends of float32."""
OWN_NAMES = ("mine", "Adam", "a b", "SGD_1")


@dataclass(frozen=True)
class Asked:
    """What a property asks optimizers about: their "config", or their state as "weights"."""

    about: str


@functools.cache
def called_optimizers(edition: str, optimizers: tuple[str, ...], asked: Asked) -> st.SearchStrategy[Document]:
    """Cases of these optimizers of an edition, as `spec/schemas/calls_case.schema.json` has them."""
    return called_optimizer(edition, optimizers, asked)


@st.composite
def called_optimizer(draw: st.DrawFn, edition: str, optimizers: tuple[str, ...], asked: Asked) -> Document:
    """A case, drawn."""
    optimizer = draw(one_of(optimizers))
    seed = draw(st.binary(max_size=2)).hex()
    variables = VARIABLES if asked.about == "config" else variables_of(draw, edition, optimizer, seed)
    make = config_calls if asked.about == "config" else weights_calls
    return {
        "id": f"{edition}/{asked.about}/drawn",
        "edition": edition,
        "clauses": [],
        "features": [asked.about],
        "flags": [],
        "variables": variables,
        "calls": make(draw, edition, optimizer, variables, seed),
    }


def variable(name: str, shape: Shape, dtype: str, stream: random.Random) -> Document:
    """A variable with numbers of all digits."""
    return {"name": name, "value": {"dtype": dtype, "shape": list(shape), "values": numbers(stream, shape, dtype)}}


def numbers(stream: random.Random, shape: Sequence[int], dtype: str) -> list[Any]:
    """Numbers with all the digits of a dtype, none of them 0."""
    return typed([stream.choice((-1, 1)) * stream.uniform(0.1, 2.0) for _ in range(math.prod(shape))], dtype)


VARIABLES = [
    variable(name, shape, "float32", random.Random(name)) for name, shape in zip(NAMES, SHAPES[:2], strict=False)
]


def step(variables: Sequence[Document], stream: random.Random) -> Call:
    """A step with gradients of all digits."""
    values = [v["value"] for v in variables]
    return {"apply": [numbers(stream, value["shape"], value["dtype"]) for value in values]}


# ---- configs ---------------------------------------------------------------------------------------------------


def config_calls(draw: st.DrawFn, edition: str, optimizer: str, variables: Sequence[Document], seed: str) -> list[Call]:
    """The constructor with some arguments, and the config before and after whatever else is called."""
    taken = {name: entry for name, entry in spec.taken(optimizer, edition).items() if name not in STATELESS}
    config: Document = {}
    odd = random.Random(seed).choice(list(taken))
    for name in several(draw, tuple(taken), draw(between(0, len(taken) - 1)), many=True):
        value = argument(random.Random(f"{seed} {name}"), edition, taken[name], name == odd)
        if not refused({**config, name: value}, edition, optimizer):
            config[name] = value
    calls: list[Call] = [{"construct": {"class_name": optimizer, "config": config}}, {"get_config": True}]
    for place, kind in enumerate(draw(st.lists(one_of(ABOUT_CONFIGS), max_size=MOST_CALLS))):
        stream = random.Random(f"{seed} {place}")
        if kind == "set":
            known = [name for name in taken if name not in (*FIXED, "name", "jit_compile")]
            name = stream.choice(["learning_rate", *known])
            value = argument(stream, edition, taken[name], stream.random() < 0.3)
            functional = isinstance(value, dict) and "$function" in value
            calls += [{"set": {name: 0.25 if functional else value}}, {"get_config": True}]
        elif kind == "apply":
            calls += [step(variables, stream), {"get_config": True}]
        else:
            calls.append({"from_config": {}} if kind == "from_config" else {kind: True})
    return [*calls, {"get_config": True}, {"from_config": {}}]


ABOUT_CONFIGS = ("get_config", "from_config", "set", "json", "build", "set", "apply", "from_config")


def argument(stream: random.Random, edition: str, entry: Document, odd: bool) -> Any:
    """A value of an argument as it may be given: None where that is taken, 0, an end, or any; an odd one as seldom."""
    kind, samples = entry["type"], list(entry.get("samples", ()))
    if kind == "bool":
        return stream.choice((1, 0)) if odd else stream.random() < 0.5
    if kind == "string":
        return stream.choice(OWN_NAMES)
    null = 0.1 if entry.get("default", 0) is None else 0.5 if entry.get("optional") else 0.0
    if stream.random() < null:
        return None
    if kind == "list of regular expressions":
        return stream.choice([["kern"], [], ["^b", "s$"], ["kernel"]])
    if kind == "int":
        low = entry.get("minimum", 0)
        return stream.choice([low, low + 1, low + 2, entry.get("maximum", 1000), 0, *samples])
    if entry["name"] == "learning_rate" and stream.random() < 0.25:
        return schedule_or_function(stream, edition)
    least, most = (entry.get(end, entry.get(f"exclusive{end.capitalize()}")) for end in ("minimum", "maximum"))
    low = float(least or 0.0)
    high = low + 2.0 if most is None else float(most)
    usual = [low + (high - low) * stream.random() for _ in range(4)]
    ends = [x for x in (low, high, 0.0) if x not in (entry.get("exclusiveMinimum"), entry.get("exclusiveMaximum"))]
    if odd:
        return stream.choice([x for x in ODD if entry["name"] not in CLIPPING or x != {"$float32": 0.0}])
    return stream.choice([*usual, *samples, *ends])


def schedule_or_function(stream: random.Random, edition: str) -> Document:
    """A learning rate that varies, its arguments in part the usual ones, in part samples."""
    names = [name for name in schedules.available(edition) if not schedules.schedules()[name].get("random")]
    if stream.random() < 0.2:
        return {"$function": "rate"}
    name = stream.choice(names)
    config: Document = {}
    for entry in schedules.arguments(name, edition):
        if "usual" in entry or entry["type"] in ("float", "int", "bool"):
            usual = "usual" in entry and (stream.random() < 0.5 or entry["type"] == "list of numbers")
            config |= {entry["name"]: entry["usual"] if usual else stream.choice(entry["samples"])}
    return {"$schedule": {"class_name": name, "config": config}}


# ---- weights ---------------------------------------------------------------------------------------------------

ABOUT_WEIGHTS = ("apply", "give", "apply", "get", "build", "state", "give", "as_of_another_dtype", "rate")
PLAIN = Drawing(pipeline=("use_ema", "ema_overwrite_frequency", "weight_decay", "gradient_accumulation_steps"))


def variables_of(draw: st.DrawFn, edition: str, optimizer: str, seed: str) -> list[Document]:
    """A few variables, of any dtype, some of another than the first; or so many that their state has a tenth entry."""
    dtypes = tuple(dtypes_of(edition, optimizer))
    dtype = draw(one_of((*dtypes, *dtypes[1:])))
    count = draw(one_of((1, 2, 2, 7)))
    stream = random.Random(f"{seed} variables")
    other = stream.choice([dtype, dtype, dtype, *dtypes])
    made = [(name, stream.choice(SHAPES), of) for name, of in zip(NAMES, itertools.cycle((dtype, other)), strict=False)]
    return [variable(name, shape, of, stream) for name, shape, of in made[:count]]


def weights_calls(
    draw: st.DrawFn, edition: str, optimizer: str, variables: Sequence[Document], seed: str
) -> list[Call]:
    """The constructor, and the state given and taken, as a list and as a store, before and after steps."""
    config = config_of(draw, edition, optimizer, PLAIN)
    calls: list[Call] = [{"construct": {"class_name": optimizer, "config": config}}]
    methods = serialization.methods_of_state(edition)
    entries = entries_of(edition, optimizer, config, list(variables))
    for place, kind in enumerate([*draw(st.lists(one_of(ABOUT_WEIGHTS), max_size=MOST_CALLS)), "build", "give"]):
        stream = random.Random(f"{seed} {place}")
        if kind == "apply":
            calls += [step(variables, stream), {"values": True}]
        elif kind == "rate":
            calls.append({"set": {"learning_rate": stream.uniform(0.0, 1.0)}})
        elif kind in ("build", "state"):
            calls.append({kind: True})
        elif kind == "get":
            reading = [name for name in methods if name in ("get_weights", "save_own_variables")]
            calls.append({stream.choice([*reading, "values"]): True})
        else:
            given = arrays(stream, entries, kind == "as_of_another_dtype")
            ways: Document = {"set_weights": given, "load_own_variables": {str(i): x for i, x in enumerate(given)}}
            known = [name for name in ways if name in methods]
            name = stream.choice(known) if known else ""
            calls += [{name: ways[name]}, {"values": True}] if name else [{"state": True}]
    return [*calls, step(variables, random.Random(seed)), {"state": True}]


OTHER_DTYPE = {"float32": "float64", "float64": "float32", "float16": "float32", "int64": "int32"}


def arrays(stream: random.Random, entries: Sequence[Entry], retyped: bool) -> list[Document]:
    """An array for every entry of the state, with all digits of its dtype, or of another one; large counts."""
    found = []
    for entry in entries:
        dtype = OTHER_DTYPE.get(entry.dtype, entry.dtype) if retyped else entry.dtype
        if "int" in dtype:
            values: list[Any] = [stream.choice([c for c in COUNTS if dtype == "int64" or c < 2**31])]
        else:
            values = [0.0 if stream.random() < 0.15 else abs(x) for x in numbers(stream, entry.shape, dtype)]
        found.append({"$tensor": {"dtype": dtype, "shape": list(entry.shape), "values": values}})
    return found
