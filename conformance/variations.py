"""Cases varied: those that the makers of golden/ make from the specification, with other numbers, options and events.

    variations("keras3", ("LossScaleOptimizer",), Varied("wrappers"))

A made case shows what can be asked; its variation asks something that nobody has recorded: its numbers are multiplied,
its options are joined with those of another made case and with drawn ones, its events are cut, and those of another
case with the same variables come before, after or between them.  It shrinks to a made case as it is.
"""

from __future__ import annotations

import functools
import itertools
import marshal
import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from goldenstep import spec
from goldenstep.golden import cases as made
from goldenstep.golden.drawing import dtypes_of, features_of, typed
from goldenstep.golden.edge_cases import edge_cases
from goldenstep.golden.escaped_cases import varied_escaped_cases
from goldenstep.golden.extreme_cases import varied_extreme_cases
from goldenstep.golden.given_cases import given_cases
from goldenstep.golden.graph_cases import varied_graph_cases
from goldenstep.golden.identifier_cases import identifier_cases
from goldenstep.golden.lifecycle_cases import lifecycle_cases
from goldenstep.golden.method_cases import method_cases
from goldenstep.golden.optimizer_schedule_cases import optimizer_schedule_cases
from goldenstep.golden.overlooked_cases import overlooked_cases
from goldenstep.golden.own_cases import own_cases
from goldenstep.golden.pair_cases import pair_cases
from goldenstep.golden.remote_cases import varied_remote_cases
from goldenstep.golden.replica_cases import replica_cases
from goldenstep.golden.resume_cases import resume_cases
from goldenstep.golden.schedule_cases import schedule_edges
from goldenstep.golden.serialization_cases import config_cases, weights_cases
from goldenstep.golden.sparse_cases import sparse_cases
from goldenstep.golden.subtle_cases import subtle_cases
from goldenstep.golden.uncommon_cases import varied_cases
from goldenstep.golden.wrapper_cases import wrapper_cases_of
from goldenstep.golden.wrapper_serialization_cases import (
    wrapped_config_cases,
    wrapped_identifier_cases,
    wrapped_resume_cases,
    wrapped_weights_cases,
)
from goldenstep.spec import wrapper as wrapper_spec

from .restored_files import restored_cases
from .strategies import CLIPPING, Document, Drawing, between, config_of, one_of, refused

MOST_EVENTS = 24
WRAPPED = (wrapped_config_cases, wrapped_identifier_cases, wrapped_weights_cases, wrapped_resume_cases)
LISTED: dict[str, Callable[[str], Iterator[Document]]] = {
    "own": own_cases,
    "edges": schedule_edges,
    "config": config_cases,
    "identifiers": identifier_cases,
    "weights": weights_cases,
    "resume": resume_cases,
    "rewrapped": wrapped_resume_cases,
    "restored": restored_cases,
    "pairs": pair_cases,
    "wrapped": lambda edition: itertools.chain.from_iterable(make(edition) for make in WRAPPED),
}
"""Kinds whose cases stand under no optimizer's name, but under that of what they are about."""
LIVED = (lifecycle_cases, edge_cases, optimizer_schedule_cases, sparse_cases, subtle_cases)
PLAYED: dict[str, Sequence[Callable[[str, str], Iterator[tuple[str, Document]]]]] = {
    "lived": LIVED,
    "uncommon": (varied_cases,),
    "remote": (varied_remote_cases,),
    "overlooked": (overlooked_cases,),
    "escaped": (varied_escaped_cases,),
    "extreme": (varied_extreme_cases, given_cases),
    "refused": (made.refused,),
    "replicas": (replica_cases,),
    "graph": (varied_graph_cases,),
}
"""Kinds whose cases stand under the name of the optimizer."""


@dataclass(frozen=True)
class Varied:
    """What a property asks of the cases that it is judged on: their kind, and what of them may vary."""

    kind: str
    joined: bool = True
    """May events, or calls, of another case come in between?"""
    options: bool = True
    """May the arguments of the optimizer be others?"""
    numbers: bool = True
    """May numbers be others?"""
    disturbed: bool = False
    """May gradients be missing, spoiled or in another order, and counter and rate be assigned in between?"""
    each: bool = False
    """Is it each of the made cases, once, with nothing varied but its numbers, if those may be?"""


@functools.cache
def names(kind: str, edition: str) -> tuple[str, ...]:
    """Under what names an edition has cases of this kind: optimizers, wrappers, or the kind itself."""
    if kind == "wrappers":
        return tuple(wrapper_spec.available(edition))
    if kind == "restored":  # whose files take time to write
        return ("files",)
    if kind in PLAYED:  # whether there is one is known before all of them are made
        return tuple(name for name in spec.available(edition) if any(True for _ in of(kind, edition, name)))
    return tuple(dict.fromkeys(folder(case) if kind in LISTED else name_of(case) for case in listed(kind, edition)))


def folder(case: Document) -> str:
    """The second part of a case's id."""
    return str(case["id"].split("/")[1])


def name_of(case: Document) -> str:
    """The class that a case is about."""
    return str(case["optimizer"]["class_name"])


@functools.cache
def listed(kind: str, edition: str) -> tuple[Document, ...]:
    """Every case of a kind that is made for all optimizers at once."""
    return tuple((method_cases if kind == "methods" else LISTED[kind])(edition))


@functools.cache
def known(kind: str, edition: str, name: str) -> tuple[Document, ...]:
    """The made cases of a kind and a name, without those that run long."""
    if kind in LISTED:
        return tuple(case for case in listed(kind, edition) if folder(case) == name)
    if kind == "methods":
        return tuple(case for case in listed(kind, edition) if name_of(case) == name)
    if kind == "wrappers":
        return tuple(wrapper_cases_of(edition, name))
    return tuple(of(kind, edition, name))


def of(kind: str, edition: str, name: str) -> Iterator[Document]:
    """The same of a kind that stands under the name of the optimizer, one after the other."""
    if kind == "refused":
        yield from refusals(edition, name)
        return
    for make in PLAYED[kind]:
        for _, case in make(edition, name):
            if not any("repeat" in event for event in case["events"]):
                yield made.finished(f"{edition}/{name.lower()}/made", edition, case)
    if kind == "lived":
        yield from (case for case in listed("pairs", edition) if name_of(case) == name)


def refusals(edition: str, name: str) -> Iterator[Document]:
    """What an optimizer refuses of its own, and what all do."""
    yield from (
        made.finished(f"{edition}/{name.lower()}/made", edition, case) for _, case in made.refused(edition, name)
    )
    for entry in spec.errors(edition, name, "construct"):
        if "optimizers" not in entry:
            case = made.refusing(made.drawn(name, entry["given"], made.LITTLE), [])
            yield made.finished(f"{edition}/{name.lower()}/made", edition, case)


@functools.cache
def variations(edition: str, chosen: tuple[str, ...], varied: Varied) -> st.SearchStrategy[Document]:
    """Variations of the cases of these names."""

    return variation(edition, chosen, varied)


@st.composite
def variation(draw: st.DrawFn, edition: str, chosen: tuple[str, ...], varied: Varied) -> Document:
    """A case, drawn."""
    name = draw(one_of(chosen))
    found = known(varied.kind, edition, name)
    case = copied(found[draw(between(0, len(found) - 1))])
    case["id"] = f"{case['id'].rpartition('/')[0]}/drawn"
    if varied.each:  # where nothing else is drawn, no case comes twice
        return renumbered(case, random.Random(case["id"]), below=LARGE) if varied.numbers else case
    if "calls" in case:
        calling(draw, case, found, edition, varied)
    else:
        playing(draw, case, found, edition, varied)
    stream = random.Random(draw(st.binary(max_size=3)))
    return renumbered(case, stream) if varied.numbers and draw(between(0, 3)) else case


def copied(document: Any) -> Any:
    """The document, to be changed; ten times as fast as deepcopy."""
    return marshal.loads(marshal.dumps(document))


# ---- calls -----------------------------------------------------------------------------------------------------


def calling(draw: st.DrawFn, case: Document, found: Sequence[Document], edition: str, varied: Varied) -> None:
    """Calls of other cases follow, and what is constructed has other arguments."""
    for index in draw(st.lists(between(0, len(found) - 1), max_size=3)) if varied.joined else ():
        other = found[index]
        if other.get("variables", case.get("variables")) == case.get("variables", other.get("variables")):
            case["calls"] = [*case["calls"], *later(other["calls"], len(case["calls"]))]
            if "variables" in other:
                case["variables"] = other["variables"]
    for call in case["calls"] if varied.options else ():
        given = call.get("construct")
        if given and given["class_name"] in spec.available(edition) and draw(between(0, 1)):
            enrich(draw, given, given.get("edition", edition))


def later(node: Any, by: int) -> Any:
    """Calls that come after so many others: what refers to the result of one of them counts from the first."""
    if isinstance(node, dict):
        return {key: x + by if key == "$result" else later(x, by) for key, x in node.items()}
    return [later(x, by) for x in node] if isinstance(node, list) else node


# ---- events ----------------------------------------------------------------------------------------------------


def playing(draw: st.DrawFn, case: Document, found: Sequence[Document], edition: str, varied: Varied) -> None:
    """Events of a fellow come in between, and the optimizer, or those inside it, have other arguments."""
    fellows = [other for other in found if alike(case, other)]
    fellow = fellows[draw(between(0, len(fellows) - 1))]
    way = draw(between(0, 3)) if varied.joined else 0
    if way:
        mine, others = case["events"], copied(fellow["events"])
        at, cut = draw(between(0, len(mine))), draw(between(0, len(others)))
        ways = ([*mine, *others], [*mine[:at], *others[cut:], *mine[at:]], [*others[:cut], *mine])
        case["events"] = ways[way - 1][:MOST_EVENTS]
        case["features"] = list(dict.fromkeys([*case["features"], *fellow["features"]]))
        case["flags"] = sorted({*case["flags"], *fellow["flags"]})
        case.pop("keep", None)
    for _ in range(draw(between(0, 2)) if varied.disturbed else 0):
        disturb(draw, case)
    if varied.options and draw(between(0, 1)):
        merge(case["optimizer"], copied(fellow["optimizer"]))
    if varied.kind == "wrappers" and draw(between(0, 1)):
        wrap(draw, case["optimizer"])
    for given in inner(case["optimizer"]) if varied.options else ():
        if given["class_name"] in spec.available(edition) and draw(between(0, 1)):
            enrich(draw, given, edition, "sparse" in case["features"])
            case["features"] = list(dict.fromkeys([*case["features"], *features_of(given["config"])]))
    if varied.kind in ("wrappers", "lived", "replicas") and draw(between(0, 2)) == 2:
        classes = [
            given["class_name"] for given in inner(case["optimizer"]) if given["class_name"] in spec.optimizers()
        ]
        common = [d for d in ("float64", "float16") if all(d in dtypes_of(edition, name) for name in classes)]
        if common:
            retype(case, draw(one_of(tuple(common))))


def disturb(draw: st.DrawFn, case: Document) -> None:
    """Something happens to a step, or beside it; whether that fails or not, the run goes on."""
    steps = [i for i, event in enumerate(case["events"]) if "apply" in event and "of" not in event]
    if not steps:
        return
    at = steps[draw(between(0, len(steps) - 1))]
    event = case["events"][at]
    gradients, choice = list(event["apply"]), draw(between(0, 255))
    which, how = choice // 8 % len(gradients), choice % 8
    if how < 5:
        if how == 0:
            event = {**event, "apply": gradients[::-1], "of": list(range(len(gradients)))[::-1]}
        elif how < 3 and isinstance(gradients[which], list) and gradients[which]:
            values = list(gradients[which])
            values[-1] = ("Infinity", "NaN", "-Infinity", "NaN")[choice // 64]
            event = {**event, "apply": [*gradients[:which], values, *gradients[which + 1 :]]}
        else:
            event = {**event, "apply": [*gradients[:which], None, *gradients[which + 1 :]]}
        case["events"][at] = {"attempt": event}
        case["features"] = list(dict.fromkeys([*case["features"], "none"]))
    else:
        beside: Document = {"finalize": True} if how == 5 else {"set": {"learning_rate": 0.25}}
        beside = {"set_iterations": COUNTS[choice // 8 % len(COUNTS)]} if how == 7 else beside
        case["events"].insert(at + 1, {"attempt": beside})
    case.pop("keep", None)


COUNTS = (1, 8, 49, 98, 99, 998, 999, 9998)
PATTERNS = ("ker", "ker.*", "kernel", ".*", "bias", "ias", "b.*|s.*", "KERNEL", "kernel|bias", "k.rnel", "[a-c].*", "")
SCALES = (1.0, 2.0, 3.0, 2.0**127, 2.0**15, 2.0**126, 2.0**127, 2.0**-120, 0.5, 6.0, 1e4)


def wrap(draw: st.DrawFn, wrapper: Document) -> None:
    """A wrapper has another scale to begin with, grows it otherwise, or knows its optimizers by other patterns."""
    config = wrapper["config"]
    if "initial_scale" in config:
        config["initial_scale"] = draw(one_of(SCALES))
        if config.get("dynamic_growth_steps"):
            config["dynamic_growth_steps"] = draw(between(1, 3))
    known = config.get("optimizer_map", {})
    chosen = known.get("config", {}).get("optimizer_map") if isinstance(known, dict) else None
    if isinstance(chosen, dict) and chosen:
        renamed_keys = [draw(one_of(PATTERNS)) if draw(between(0, 1)) else key for key in chosen]
        known["config"]["optimizer_map"] = dict(zip(renamed_keys, chosen.values(), strict=True))


def alike(case: Document, other: Document) -> bool:
    """Do both cases have the same variables, but for their numbers, and the same optimizer, but for its arguments?"""

    def kind(of: Document) -> Any:
        shapes = [(v["name"], v["value"]["dtype"], v["value"]["shape"], v.get("constraint")) for v in of["variables"]]
        named = [of["optimizer"].get(key) for key in ("class_name", "source")]
        return shapes, named, of.get("mode"), of.get("replicas")

    return bool(kind(case) == kind(other))


def inner(described: Any) -> Iterator[Document]:
    """Every description of an optimizer, outer ones first."""
    if isinstance(described, dict):
        if "class_name" in described and isinstance(described.get("config"), dict):
            yield described
        for value in described.values():
            yield from inner(value)
    elif isinstance(described, list):
        for value in described:
            yield from inner(value)


def merge(mine: Document, other: Document) -> None:
    """Arguments of the other where mine has none, and those of the same class inside it."""
    for name, value in other.items():
        if name not in mine:
            if isinstance(value, dict) and "callable" in value:  # a class of one's own need not know how to describe it
                continue
            if not (name in CLIPPING and set(CLIPPING) & set(mine)):
                mine[name] = value
        elif isinstance(value, dict) and isinstance(mine[name], dict):
            same = [value.get(key) == mine[name].get(key) for key in ("class_name", "function", "callable")]
            if all(same):
                merge(mine[name], value)


def enrich(draw: st.DrawFn, given: Document, edition: str, sparse: bool = False) -> None:
    """More arguments of an optimizer, drawn from the specification; those that it has stay."""
    drawn = config_of(draw, edition, given["class_name"], ANY)
    taken = set(given["config"]) | ({"loss_scale_factor"} if sparse else set())
    more = {name: value for name, value in drawn.items() if name not in taken}
    if isinstance(given["config"].get("learning_rate"), dict):
        more.pop("lr", None)
    if set(CLIPPING) & set(given["config"]) or refused({**given["config"], **more}, edition, given["class_name"]):
        more = {name: value for name, value in more.items() if name not in CLIPPING}
    given["config"] |= more


ANY = Drawing(edges=True)


# ---- numbers ---------------------------------------------------------------------------------------------------

FACTORS = (1.0, -1.0, 0.5, 2.0)
LARGE = 1e4


def renumbered(case: Document, stream: random.Random, below: float = math.inf) -> Document:
    """The case with every number of its variables, gradients and tensors multiplied by one near 1, or a power of 2.

    Numbers that are not `below` a bound stay: some overflow only together.
    """

    def changed(values: list[Any], dtype: str) -> list[Any]:
        if dtype not in ("float16", "float32", "float64"):
            return values
        factors = [stream.uniform(0.5, 1.5) if stream.random() < 0.7 else stream.choice(FACTORS) for _ in values]
        finite = [isinstance(x, float) and abs(x) < below for x in values]
        numbers = typed([x * f if ok else 0.0 for x, f, ok in zip(values, factors, finite, strict=True)], dtype)
        return [number if ok else x for x, number, ok in zip(values, numbers, finite, strict=True)]

    return dict(with_numbers(case, changed))


def retype(case: Document, dtype: str) -> None:
    """The case with variables and gradients of another dtype."""
    usual = case["variables"][0]["value"]["dtype"]

    def changed(values: list[Any], _: str) -> list[Any]:
        numbers = [float(x.replace("Infinity", "inf")) if isinstance(x, str) else x for x in values]
        return typed(numbers, dtype)

    for key in ("variables", "events"):
        case[key] = with_numbers({"variables": case["variables"], key: case[key]}, changed, usual)[key]
        case[key] = renamed(case[key], usual, dtype)


def renamed(node: Any, old: str, new: str) -> Any:
    """The node with another dtype in every tensor."""
    if isinstance(node, dict):
        return {k: new if k == "dtype" and v == old else renamed(v, old, new) for k, v in node.items()}
    return [renamed(x, old, new) for x in node] if isinstance(node, list) else node


def with_numbers(case: Document, change: Callable[[list[Any], str], list[Any]], only: str | None = None) -> Document:
    """The case with a function of values and dtype applied to each tensor and each gradient."""
    usual = case["variables"][0]["value"]["dtype"] if case.get("variables") else "float32"

    def gradients(node: Any) -> Any:
        """A list of gradients: flat lists of numbers among them."""
        plain = isinstance(node, list) and all(not isinstance(x, list | dict) for x in node)
        return change(node, usual) if plain else walked(node)

    def walked(node: Any) -> Any:
        if isinstance(node, list):
            return [walked(x) for x in node]
        if not isinstance(node, dict):
            return node
        if {"dtype", "shape", "values"} <= set(node):
            fits = only in (None, node["dtype"])
            return {**node, "values": change(node["values"], node["dtype"])} if fits else node
        return {key: lists.get(key, walked)(value) for key, value in node.items()}

    lists: dict[str, Callable[[Any], Any]] = {
        "apply": lambda given: [gradients(g) for g in given],
        "apply_replicas": lambda given: [[gradients(g) for g in replica] for replica in given],
        "square": gradients,
        "linear": gradients,
    }
    kept = ("optimizer", "id", "features", "flags", "clauses", "keep")
    return {key: value if key in kept else walked(value) for key, value in case.items()}
