"""The properties' trial: which of them reject a wrong implementation, on the cases that the default run would draw.

The goldens have no part in it.  A property that compares with the reference compares with the copy of it that no
wrong implementation reaches (conformance/pristine.py).
"""

from __future__ import annotations

import functools
import zlib
from collections.abc import Iterator
from typing import Any

from hypothesis import Phase, given, seed, settings

from goldenstep.conformance.keras_shaped import reference
from goldenstep.conformance.lives import Calls
from goldenstep.conformance.properties import Broken, Inapplicable, Property, Subject, registered

from . import Wrong

Document = dict[str, Any]
LIVE = ("P-54", "P-67", "P-55", "P-66", "P-01")
COUNT, MANY = 24, 96
"""Cases for each optimizer of an edition: no more than the default run has of P-54 where all editions are judged, and
four times as many."""


@functools.cache
def drawn(identity: str, edition: str, name: str, count: int) -> list[Document]:
    """Cases that a property is judged on, the same in every run."""
    cases: list[Document] = []

    @seed(zlib.crc32(f"{identity} {edition} {name}".encode()))
    @settings(settings.get_profile("goldenstep"), max_examples=count, phases=[Phase.generate])
    @given(registered()[identity].cases(edition, (name,)))
    def collect(case: Document) -> None:
        cases.append(case)

    collect()
    return cases


def places(suspect: Wrong, prop: Property) -> Iterator[tuple[str, str]]:
    """The editions and optimizers, or schedules, of a suspect that have the property."""
    for edition in suspect.editions:
        for name in prop.holds_for(edition):
            wanted = (
                "schedules" in suspect.optimizers if isinstance(prop.drawing, Calls) else name in suspect.optimizers
            )
            if wanted:
                yield edition, name


def broken_at(suspect: Wrong, identity: str, count: int = COUNT) -> tuple[str, str] | None:
    """The first edition and optimizer where a wrong implementation breaks a property, or None."""
    prop = registered()[identity]
    for edition, name in places(suspect, prop):
        for case in drawn(identity, edition, name, count):
            with suspect.at_work():
                try:
                    prop.check(Subject(reference()), case)
                except Inapplicable:
                    pass
                except Broken:
                    return edition, name
    return None


def first_to_break(suspect: Wrong) -> str:
    """The first live property that rejects it; "P-54 (deep)" if only the deep run does; "none"."""
    found = next((identity for identity in LIVE if broken_at(suspect, identity)), None)
    return found or next((f"{identity} (deep)" for identity in LIVE if broken_at(suspect, identity, MANY)), "none")
