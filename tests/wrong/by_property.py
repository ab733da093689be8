"""The properties' trial: which of them reject a wrong implementation, on the very cases that the default run draws.

The goldens have no part in it.  A property that compares with the reference compares with the copy of it that no
wrong implementation reaches (conformance/pristine.py).
"""

from __future__ import annotations

import functools
from typing import Any

from hypothesis import Phase, settings

from goldenstep import spec
from goldenstep.conformance.keras_shaped import reference
from goldenstep.conformance.lives import Calls
from goldenstep.conformance.pristine import pristine
from goldenstep.conformance.properties import Broken, Inapplicable, Property, Subject, registered
from goldenstep.conformance.test_properties import LIVE as SHARES
from goldenstep.conformance.test_properties import each_of, fresh, seed_of, share
from goldenstep.conformance.verdict import Verdict, judge

from . import Wrong, slipped

Document = dict[str, Any]
LIVE = tuple(sorted(SHARES, key=lambda identity: (identity not in ("P-54", "P-77"), identity)))
"""The properties that compare with the reference, those first that reject most."""


@functools.cache
def drawn(identity: str, edition: str, name: str, count: int | None = None) -> list[Document]:
    """The cases of a property that the default run draws for an optimizer, where it is asked for all editions."""
    prop, cases = registered()[identity], list[Document]()
    total = sum(len(prop.holds_for(each)) for each in spec.editions())
    usual = settings.get_profile("goldenstep")

    def collect(case: Document) -> None:
        cases.append(case)

    number, chosen = seed_of(identity, edition, (name,)), prop.cases(edition, (name,))
    most = count or share(prop, (name,), total)
    each_of(collect, chosen, number, most, usual, [Phase.generate], fresh(prop, most))
    return cases


@functools.cache
def expected(identity: str, edition: str, name: str, index: int) -> Document:
    """What the reference makes of a drawn case."""
    return pristine().run(drawn(identity, edition, name)[index])


def places(suspect: Wrong, prop: Property) -> list[tuple[str, str]]:
    """The editions and optimizers, schedules, or kinds of cases, that have the property: those of a suspect first."""
    scheduled = "schedules" in suspect.optimizers
    found = [(edition, name) for edition in suspect.editions for name in prop.holds_for(edition)]
    of_schedules = isinstance(prop.drawing, Calls) or any(name == "schedules" for _, name in found)
    if of_schedules or scheduled:
        return found if of_schedules and scheduled else []
    return sorted(found, key=lambda place: place[1] not in suspect.optimizers)


def broken_at(suspect: Wrong, identity: str, count: int | None = None) -> tuple[str, str] | None:
    """The first edition and optimizer where a wrong implementation breaks a property, or None."""
    found = places(suspect, registered()[identity])
    return next((place for place in found if broken_there(suspect, identity, place, count)), None)


def broken_there(suspect: Wrong, identity: str, place: tuple[str, str], count: int | None = None) -> bool:
    """Does one of the cases of this edition and optimizer break the property?"""
    prop = registered()[identity]
    with suspect.at_work():
        implementation = reference()
    for index, case in enumerate(drawn(identity, *place, count)):
        wanted = expected(identity, *place, index) if identity in SHARES else None
        with suspect.at_work():
            if breaks(Subject(implementation), prop, case, wanted):
                return True
    return False


def breaks(subject: Subject, prop: Property, case: Document, expected: Document | None) -> bool:
    """Does a case break a property? One that raises where the reference does not is no mistake but a slip of ours."""
    if expected is not None:
        record = judge(subject.implementation, case, expected)
        return record.verdict is Verdict.DIVERGES and not slipped(record.divergence)
    try:
        prop.check(subject, case)
    except Inapplicable:
        return False
    except Broken:
        return True
    return False


def first_to_break(suspect: Wrong) -> str:
    """The first live property that rejects it; "none". Its own optimizers first, then what has few cases."""

    def late(trial: tuple[str, tuple[str, str]]) -> tuple[bool, bool]:
        name = trial[1][1]
        foreign = name not in suspect.optimizers
        return foreign, foreign and name in spec.optimizers()

    trials = [(identity, place) for identity in LIVE for place in places(suspect, registered()[identity])]
    found = (identity for identity, place in sorted(trials, key=late) if broken_there(suspect, identity, place))
    return next(found, "none")
