"""Every property can fail: of a few gross faults, each laid over the reference, at least one breaks it.

tests/wrong has the subtle ones. What compares with the reference is tried there, case by case, and not here.
"""

from __future__ import annotations

import copy
import functools
import itertools
import json
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from goldenstep import spec
from goldenstep.conformance.keras_shaped import reference
from goldenstep.conformance.properties import Broken, Inapplicable, Property, Subject, registered
from goldenstep.conformance.test_properties import LIVE

Document = dict[str, Any]
Fault = Callable[[Document, Document], object]
OWN = tuple(identity for identity in registered() if identity not in LIVE)
CASES = 8
EVERY = list(HealthCheck)
CALLS = itertools.count(1)


def changed(trajectory: Document, change: Callable[[float, int], float], parts: tuple[str, ...]) -> None:
    """Change every number of a trajectory; of the state those that are no counters."""
    for step in trajectory.get("steps", ()):
        entries = step.get("layout", trajectory["layout"])
        for part in parts:
            for index, values in enumerate(step[part]):
                if part == "variables" or entries[index]["dtype"] != "int64":
                    step[part][index] = [x if isinstance(x, str) else change(x, step["step"]) for x in values]
    values = trajectory.get("values")
    if values:
        values["values"] = [x if isinstance(x, str) else change(x, i) for i, x in enumerate(values["values"])]


def by_the_case(case: Document, got: Document) -> None:
    """Every other case is computed another way: what two cases have in common is lost."""
    text = json.dumps({key: case[key] for key in case if key not in ("id", "clauses", "features", "flags")})
    factor = 1 + (1 + zlib.crc32(text.encode()) % 31) / 32
    changed(got, lambda x, _: x * factor + factor / 64, ("variables", "state"))


def negated(_: Document, got: Document) -> None:
    """Uphill, and slots below 0."""
    changed(got, lambda x, _: -x, ("variables", "state"))


def fading(_: Document, got: Document) -> None:
    """Everything shrinks with time."""
    changed(got, lambda x, step: x / 4.0**step, ("variables", "state"))


def tenfold(_: Document, got: Document) -> None:
    """Ten times and a bit of everything, more with each step."""
    changed(got, lambda x, step: x * 16 + step, ("variables", "state"))


def odd_digits(_: Document, got: Document) -> None:
    """Numbers that no float32 is."""
    changed(got, lambda x, _: x * (1 + 2.0**-40) + 1e-30, ("variables",))


def a_slot_less(_: Document, got: Document) -> None:
    """The last entry of the state is not shown."""
    got["layout"] = got["layout"][:-1]
    for step in got["steps"]:
        step["state"] = step["state"][:-1]


def counting_twice(_: Document, got: Document) -> None:
    """The counter goes in twos."""
    for step in got["steps"]:
        for index, entry in enumerate(step.get("layout", got["layout"])):
            if entry["dtype"] == "int64":
                step["state"][index] = [2 * step["state"][index][0]]


def never_the_same(_: Document, got: Document) -> None:
    """Each run gives something else."""
    number = next(CALLS)
    changed(got, lambda x, _: x + number, ("variables", "state"))


def writing(case: Document, _: Document) -> None:
    """The case is written to."""
    case["flags"].append("seen")


FAULTS: list[Fault] = [
    by_the_case,
    negated,
    fading,
    tenfold,
    odd_digits,
    a_slot_less,
    counting_twice,
    never_the_same,
    writing,
]
CAUGHT_ANYWHERE: dict[Fault, tuple[str, ...]] = {a_slot_less: ("P-02",), writing: ("P-06", "P-56")}
"""Faults that a run of any property meets; they count for those that are about them."""


class Faulty:
    """The reference with a fault."""

    def __init__(self, fault: Fault) -> None:
        self.name = fault.__name__
        self.fault = fault
        self.right = reference()
        self.editions = self.right.editions

    def supports(self, case: Document) -> str | None:
        return self.right.supports(case)

    def run(self, case: Document) -> Document:
        got = self.right.run(copy.deepcopy(case))
        self.fault(case, got)
        return got


@functools.cache
def drawn(identity: str) -> list[Document]:
    """Some cases of a property, of the newest edition that has it."""
    prop = registered()[identity]
    edition = next(e for e in reversed(list(spec.editions())) if prop.holds_for(e))
    found: list[Document] = []

    @seed(zlib.crc32(identity.encode()))
    @settings(max_examples=CASES, deadline=None, database=None, phases=[Phase.generate], suppress_health_check=EVERY)
    @given(prop.cases(edition, tuple(prop.holds_for(edition))))
    def collect(case: Document) -> None:
        found.append(case)

    collect()
    return found


def breaks(implementation: Any, prop: Property, case: Document) -> bool:
    """Does a case break a property?"""
    try:
        prop.check(Subject(implementation), copy.deepcopy(case))
    except Inapplicable:
        return False
    except Broken:
        return True
    return False


@pytest.mark.parametrize("identity", OWN)
def test_a_fault_breaks_it_and_the_reference_does_not(identity: str) -> None:
    prop = registered()[identity]
    assert not any(breaks(reference(), prop, case) for case in drawn(identity))
    faults = [fault for fault in FAULTS if fault not in CAUGHT_ANYWHERE or identity in CAUGHT_ANYWHERE[fault]]
    assert any(breaks(Faulty(fault), prop, case) for fault in faults for case in drawn(identity))
