"""Every property that the selected editions and optimizers have, on cases drawn from the specification.

--hypothesis-profile=goldenstep-deep    ten times as many cases
--hypothesis-seed=7                     other cases; the same seed gives the same ones

The live comparison with the reference has a number of cases for all that is selected together: whoever asks for
less, or claims less, gets a closer look at it.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, reject, seed, settings
from hypothesis.errors import Unsatisfiable
from hypothesis.strategies import SearchStrategy

from goldenstep import spec
from goldenstep.conformance.answers import CrashError, NoAnswerError, TimeoutExceededError, UnsupportedError
from goldenstep.conformance.closeness import ulps_of
from goldenstep.conformance.implementations import Implementation
from goldenstep.conformance.lives import Calls
from goldenstep.conformance.patience import Patience
from goldenstep.conformance.plugin import session
from goldenstep.conformance.process import ProcessImplementation
from goldenstep.conformance.properties import Broken, Inapplicable, Property, Subject, registered
from goldenstep.conformance.replay import report
from goldenstep.conformance.selection import Session
from goldenstep.conformance.test_goldens import settle
from goldenstep.conformance.variations import Varied, known

Document = dict[str, Any]
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)
"""A known failure is not made smaller: that would cost more than all the rest."""
Place = tuple[str, str, tuple[str, ...], int]
LIVE = {
    "P-01": 300,
    "P-54": 1600,
    "P-55": 100,
    "P-66": 400,
    "P-67": 300,
    "P-70": 300,
    "P-71": 260,
    "P-72": 120,
    "P-73": 240,
    "P-74": 150,
    "P-75": 160,
    "P-76": 160,
    "P-77": 1200,
    "P-78": 1000,
    "P-79": 130,
    "P-80": 300,
    "P-81": 500,
    "P-82": 270,
    "P-83": 200,
    "P-84": 360,
    "P-85": 360,
    "P-86": 16,
    "P-87": 130,
    "P-88": 640,
    "P-89": 200,
    "P-90": 450,
    "P-91": 30,
    "P-92": 500,
    "P-93": 100,
    "P-94": 110,
    "P-95": 200,
    "P-96": 120,
    "P-97": 80,
    "P-98": 90,
    "P-99": 130,
    "P-100": 60,
    "P-101": 60,
    "P-102": 120,
    "P-103": 4,
    "P-104": 380,
    "P-105": 380,
    "P-106": 150,
    "P-107": 150,
    "P-108": 400,
    "P-120": 160,
    "P-121": 24,
    "P-122": 60,
    "P-123": 60,
    "P-124": 100,
    "P-125": 45,
    "P-130": 90,
    "P-131": 60,
    "P-132": 80,
    "P-133": 60,
    "P-134": 80,
}
"""Cases of the properties that compare with the reference, for all editions and optimizers together."""
MOST = 60
"""And for one optimizer of an edition at most so many."""
FRESH = 10
"""After so many cases hypothesis would mostly repeat them with a part changed: a new round draws new ones."""
WIDE = {**dict.fromkeys(("P-54", "P-77", "P-81", "P-82", "P-90"), 40), "P-94": 12}
"""Lives of which each optimizer has at least so many in all its editions together."""
NARROW = {"P-92": 40, "P-104": 12, "P-105": 12, "P-106": 9, "P-107": 9}
"""Properties of what optimizers share: of one of them, fewer tell as much."""
MAIN = ("SGD", "Adam")
"""And these have twice as many as others."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test per property and edition, for the optimizers that are selected and have the property."""
    chosen = session(metafunc.config)
    selected = dict.fromkeys(tuple(identity.split("/")[:2]) for identity in chosen.ids)
    editions = dict.fromkeys(edition for edition, _ in selected)
    places: list[Place] = []
    for identity, prop in registered().items():
        found = {edition: those_of(prop, edition, list(selected)) for edition in editions}
        total = sum(map(len, found.values()))
        places += [(identity, edition, names, total) for edition, names in found.items() if names]
    metafunc.parametrize("place", places, ids=[f"{identity}-{edition}" for identity, edition, *_ in places])


def those_of(prop: Property, edition: str, selected: list[tuple[str, ...]]) -> tuple[str, ...]:
    """The optimizers, or the schedules, that have the property and are selected."""
    if isinstance(prop.drawing, Calls):
        return tuple(prop.holds_for(edition)) if (edition, "schedules") in selected else ()
    return tuple(name for name in prop.holds_for(edition) if (edition, name.lower()) in selected)


@pytest.mark.conformance
def test_property(
    place: Place,
    conformance_session: Session,
    request: pytest.FixtureRequest,
    record_property: Callable[[str, object], None],
) -> None:
    """The property holds for the implementation in every case that is drawn."""
    identity, edition, names, total = place
    implementation = conformance_session.implementation
    if identity in LIVE and (request.config.option.impl or "reference") == "reference":
        pytest.skip("the reference is not compared with itself")
    options = request.config.option
    tolerance = ulps_of(options.tolerance or getattr(implementation, "tolerance", "exact"))
    prop, subject = registered()[identity], Subject(implementation, options.errata, tolerance)
    able = tuple(name for name in names if refusal(implementation, minimal(prop, edition, name)) is None)
    if not able:
        pytest.skip(f"unsupported: {refusal(implementation, minimal(prop, edition, names[0]))}")
    more = examples(request.config) / settings.get_profile("goldenstep").max_examples
    failure = gone = ""
    listed, update = conformance_session.known.of(f"{identity}/{edition}"), conformance_session.known.update
    phases = PHASES if listed or update else tuple(Phase)
    patience = Patience()

    def check(case: Document) -> None:
        nonlocal failure, gone
        if gone:  # a process that crashes or hangs is not asked again: it would cost its time for every smaller case
            raise Broken(gone)
        if not patience.lasts(case):
            reject()
        try:
            prop.check(subject, case)
        except Inapplicable:
            reject()
        except Broken as broken:
            patience.note(case)
            failure = report(identity, subject, case, broken)
            gone = str(broken) if isinstance(broken.__cause__, CrashError | TimeoutExceededError) else ""
            raise

    fruitless = 0
    groups = [(name,) for name in able] if identity in LIVE else [able]
    for group in groups:
        try:
            number = seed_of(identity, edition, group, request.config.getoption("hypothesis_seed", None))
            count = int(share(prop, group, total) * more)
            each_of(
                check, prop.cases(edition, group), number, count, profile(request.config), phases, fresh(prop, count)
            )
        except Broken:
            break
        except Unsatisfiable:
            if not subject.refused:
                raise
            fruitless += 1
    else:
        failure = ""
    if fruitless == len(groups):
        pytest.skip(f"unsupported: {subject.refused}")
    kind = ("crash" if gone else "property") if failure else None
    reason = failure.splitlines()[2].strip() if failure else ""
    known = listed.reason if listed and kind else ""
    record = {"id": f"{identity}/{edition}", "kind": kind, "step": None, "reason": reason, "known": known}
    record_property("goldenstep-property", record)
    settle(listed, kind, None, failure, update)


def share(prop: Property, group: tuple[str, ...], total: int) -> int:
    """How many cases a property is judged on: at once, or of each optimizer where `total` of all editions have it."""
    if prop.id not in LIVE:
        return int(settings.get_profile("goldenstep").max_examples)
    if isinstance(prop.drawing, Varied) and prop.drawing.each:
        return LIVE[prop.id]  # or fewer: when there is no other case, hypothesis draws no more
    usual = -(-LIVE[prop.id] // total)
    if prop.id in WIDE:
        editions = sum(group[0] in prop.holds_for(edition) for edition in spec.editions())
        usual = 2 * usual if group[0] in MAIN else max(usual, WIDE[prop.id] // editions)
    return min(usual, NARROW.get(prop.id, MOST))


def fresh(prop: Property, count: int) -> int:
    """How many cases a round has: all of them, where each made case comes once."""
    return count if isinstance(prop.drawing, Varied) and prop.drawing.each else FRESH


def seed_of(identity: str, edition: str, group: tuple[str, ...], asked: object = None) -> int:
    """What the cases of a property are drawn with, also by what --hypothesis-seed asks for."""
    return zlib.crc32(f"{identity} {edition} {group} {asked}".encode())


def each_of(
    check: Callable[[Document], None],
    strategy: SearchStrategy[Document],
    number: int,
    count: int,
    base: settings,
    phases: Sequence[Phase],
    fresh: int = FRESH,
) -> None:
    """Check so many cases of a strategy, in rounds; Unsatisfiable if no round has one."""
    quiet, barren, fruitful = [HealthCheck.filter_too_much, HealthCheck.too_slow], None, False
    for begun in range(0, count, fresh):
        examples = min(fresh, count - begun)
        chosen = settings(base, max_examples=examples, phases=phases, suppress_health_check=quiet)
        try:
            seed(number + begun)(chosen(given(strategy)(check)))()
        except Unsatisfiable as error:
            barren = barren or error
        else:
            fruitful = True
    if barren and not fruitful:
        raise barren


def refusal(implementation: Implementation, case: Document) -> str | None:
    """Why a case is unsupported, as the implementation declares it or answers; None if it is not."""
    declared = implementation.supports(case)
    if declared or not isinstance(implementation, ProcessImplementation):
        return declared
    try:
        implementation.run(case)
    except UnsupportedError as error:
        return str(error)
    except NoAnswerError:
        return None
    return None


def minimal(prop: Property, edition: str, name: str) -> Document:
    """A case without steps: as much as tells whether the optimizer, the schedule, or the kind, is supported."""
    empty: Document = {"edition": edition, "clauses": [], "flags": []}
    if isinstance(prop.drawing, Varied):
        made = known(prop.drawing.kind, edition, name)[0]
        return {**made, "events": []} if "events" in made else made
    if isinstance(prop.drawing, Calls):
        schedule = {"class_name": name, "config": {}}
        about: Document = {"schedule": schedule, "features": ["schedules"], "steps": {"dtype": "int64", "values": []}}
        return {"id": f"{edition}/schedules/{name.lower()}/drawn", **empty, **about}
    kind = {"class_name": name, "config": {}}
    variable = {"name": "kernel", "value": {"dtype": "float32", "shape": [1], "values": [1.0]}}
    nothing: Document = {"optimizer": kind, "features": ["dense"], "variables": [variable], "events": []}
    return {"id": f"{edition}/{name.lower()}/drawn", **empty, **nothing}


def profile(config: pytest.Config) -> settings:
    """The profile that was asked for, or ours."""
    return settings.get_profile(config.getoption("hypothesis_profile", None) or "goldenstep")


def examples(config: pytest.Config) -> int:
    """How many cases a property is judged on."""
    return int(profile(config).max_examples)
