"""Known failures: a TOML file of cases that are expected to fail, each with reason, kind and first diverging step.

A failure that is not listed fails; so does a listed case that passes, fails otherwise, or does not exist.
"""

from __future__ import annotations

import fnmatch
import functools
import sys
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from goldenstep import spec

from .verdict import Record, Verdict

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

Document = dict[str, Any]
UNEXPLAINED = "not yet explained"
WILD = "*?"
HEADER = """\
# Cases that are expected to fail, why, and how: docs/known-failures.md.
# `--update-known-failures` writes this file anew; reasons and links stay, comments don't.

"""


class KnownFailuresError(ValueError):
    """A file of known failures is not as it should be, or can't be written; the message says what was expected."""


@dataclass(frozen=True)
class Entry:
    """Cases that fail alike, for one reason."""

    cases: tuple[str, ...]
    reason: str
    kind: str
    step: int | None = None
    link: str = ""

    def complaint(self, kind: str | None, step: int | None) -> str:
        """What is otherwise than listed; empty if nothing is."""
        if kind is None:
            return f'listed as a known failure ("{self.reason}"), but does not fail: take it off the list'
        if kind != self.kind:
            return f"listed as a known failure of kind {self.kind!r}, but this one is of kind {kind!r}"
        if self.step not in (None, step):
            return f"listed as a known failure from step {self.step} on, but this one is from step {step} on"
        return ""


@dataclass(frozen=True)
class KnownFailures:
    """The entries of a file, and whether it is to be written anew."""

    entries: tuple[Entry, ...] = ()
    path: Path | None = None
    update: bool = False

    @functools.cached_property
    def _exact(self) -> dict[str, Entry]:
        return {case: entry for entry in self.entries for case in entry.cases if not wild(case)}

    @functools.cached_property
    def _patterns(self) -> list[tuple[str, Entry]]:
        return [(case, entry) for entry in self.entries for case in entry.cases if wild(case)]

    def of(self, identity: str) -> Entry | None:
        """The entry of a case or property, or None."""
        if identity in self._exact:
            return self._exact[identity]
        return next((entry for pattern, entry in self._patterns if fits(identity, pattern)), None)


NONE_KNOWN = KnownFailures()


def wild(case: str) -> bool:
    """Is it a pattern?"""
    return any(sign in case for sign in WILD)


def fits(case: str, pattern: str) -> bool:
    """Does a case fit a pattern? A bracket stands for itself: ids have lists in them."""
    return fnmatch.fnmatchcase(case, pattern.replace("[", "[[]"))


def kind_of(record: Record) -> str:
    """The kind of a failure."""
    divergence = record.divergence
    if record.verdict is Verdict.EXACT or record.verdict is Verdict.WITHIN:
        return "as shipped"
    if record.verdict is not Verdict.DIVERGES or divergence is None:
        return str(record.verdict.value)
    if divergence.where == "error" or "Error" in f"{divergence.expected}{divergence.got}":
        return "another error"
    if divergence.where.startswith("layout") or divergence.where in ("config", "roundtrip"):
        return "layout"
    if divergence.where == "recorded steps" or divergence.where == "number of values":
        return "steps"
    if divergence.got == "NaN" and divergence.expected != "NaN":
        return "nan"
    return "shape" if divergence.ulp is None and isinstance(divergence.got, str | list) else "value"


# ---- the file -----------------------------------------------------------------------------------------------------


def read(path: Path, known: Collection[str], update: bool = False) -> KnownFailures:
    """The known failures of a file, whose cases must be among the `known` ids; KnownFailuresError if they aren't."""
    if update and not path.exists():
        return KnownFailures((), path, update)
    try:
        document = tomllib.loads(path.read_text("utf-8"))
        spec.validate(document, "known_failures", str(path))
    except FileNotFoundError as error:
        raise KnownFailuresError(f"{path}: no such file; --update-known-failures writes one") from error
    except (tomllib.TOMLDecodeError, spec.SpecificationError) as error:
        raise KnownFailuresError(f"{path}: {error}") from error
    entries = tuple(Entry(**{**entry, "cases": tuple(entry["cases"])}) for entry in document.get("failure", ()))
    if not update:
        check(path, entries, known)
    return KnownFailures(entries, path, update)


def check(path: Path, entries: Sequence[Entry], known: Collection[str]) -> None:
    """KnownFailuresError for an id or pattern that means no case, or an id that is listed twice."""
    seen: set[str] = set()
    for case in (case for entry in entries for case in entry.cases):
        if case in seen:
            raise KnownFailuresError(f"{path}: {case} is listed twice")
        seen.add(case)
        if wild(case):
            if any(wild(part) for part in case.split("/")[:2]):
                raise KnownFailuresError(f"{path}: {case}: edition and optimizer are to be named, not matched")
            if not any(fits(identity, case) for identity in known):
                raise KnownFailuresError(f"{path}: no case fits {case}")
        elif case not in known and case not in properties():
            raise KnownFailuresError(f"{path}: no such case: {case}")


@functools.cache
def properties() -> frozenset[str]:
    """The ids by which properties are listed: `P-01/keras3`."""
    from .properties import PROPERTIES

    return frozenset(f"{identity}/{edition}" for identity in PROPERTIES for edition in spec.editions())


@dataclass(frozen=True)
class Outcome:
    """How a case ended: kind and first step of its failure (None if it did not fail), and the reason shown."""

    kind: str | None
    step: int | None = None
    reason: str = ""


@dataclass
class Regrouped:
    """Cases that are listed anew, by what they have in common."""

    groups: dict[tuple[str, ...], tuple[Entry, list[str]]] = field(default_factory=dict)

    def add(self, case: str, outcome: Outcome, reason: str, link: str) -> None:
        """List a case."""
        place = "property" if case.startswith("P-") else case.rpartition("/")[0]
        key = (place, str(outcome.kind), f"{outcome.step or 0:09d}", reason.partition(":")[0], link)
        entry = Entry((), reason, str(outcome.kind), outcome.step, link)
        self.groups.setdefault(key, (entry, []))[1].append(case)

    def entries(self) -> list[Entry]:
        """The groups as entries, in a fixed order."""
        return [replace(entry, cases=tuple(sorted(cases))) for _, (entry, cases) in sorted(self.groups.items())]


def updated(known: KnownFailures, outcomes: dict[str, Outcome]) -> list[Entry]:
    """The entries as a run shows them: what fails as listed stays, what passes goes, what is new comes."""
    kept: list[Entry] = []
    anew = Regrouped()
    for entry in known.entries:
        cases: list[str] = []
        for case in entry.cases:
            fitting = [i for i in outcomes if fits(i, case)] if wild(case) else [case] * (case in outcomes)
            meant = {identity: outcomes[identity] for identity in fitting if known.of(identity) is entry}
            if all(not entry.complaint(outcome.kind, outcome.step) for outcome in meant.values()):
                cases.append(case)
                continue
            for identity, outcome in meant.items():
                if outcome.kind == entry.kind:
                    anew.add(identity, outcome, entry.reason, entry.link)
                elif outcome.kind:
                    anew.add(identity, outcome, f"{UNEXPLAINED}: {outcome.reason}", "")
        if cases:
            kept.append(replace(entry, cases=tuple(cases)))
    for identity, outcome in outcomes.items():
        if outcome.kind and known.of(identity) is None:
            anew.add(identity, outcome, f"{UNEXPLAINED}: {outcome.reason}", "")
    return kept + anew.entries()


def write(path: Path, entries: Iterable[Entry]) -> None:
    """Write the file: the same entries give the same bytes."""
    import tomli_w

    documents = [
        {"cases": list(e.cases), "reason": e.reason, "kind": e.kind}
        | ({"step": e.step} if e.step else {})
        | ({"link": e.link} if e.link else {})
        for e in entries
    ]
    document = {"failure": documents} if documents else {}
    spec.validate(document, "known_failures", str(path))
    path.write_text(HEADER + tomli_w.dumps(document), "utf-8")
