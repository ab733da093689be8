"""Which cases are judged, and by what."""

from __future__ import annotations

import difflib
import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from goldenstep import spec
from goldenstep.golden import files
from goldenstep.spec import wrapper as wrapper_spec

from .errata import subject
from .implementations import Implementation, load
from .known_failures import NONE_KNOWN, KnownFailures, KnownFailuresError
from .known_failures import read as read_known_failures

Document = dict[str, Any]


SMOKE = ("/defaults-float32", "/exponentialdecay/usual")
"""What the ids of the cases end with that --smoke chooses: of each optimizer the defaults, and one schedule."""


class UnknownSelectionError(ValueError):
    """The options name something that doesn't exist, or nothing; the message says what does."""


@dataclass(frozen=True)
class Selection:
    """What the options ask for; None means all."""

    editions: Sequence[str] | None = None
    optimizers: Sequence[str] | None = None
    features: Sequence[str] | None = None
    cases: Sequence[str] | None = None
    smoke: bool = False


@dataclass(frozen=True)
class Session:
    """The implementation under test, and where each selected golden is."""

    implementation: Implementation
    places: dict[str, tuple[Path, int]]
    known: KnownFailures = NONE_KNOWN

    @property
    def ids(self) -> list[str]:
        """Ids of the selected cases, in the order of the files."""
        return list(self.places)

    def golden(self, identity: str) -> Document:
        """The case and its recorded trajectory."""
        return files.parsed(*self.places[identity])


def session_of(
    name: str,
    selection: Selection,
    isolate: bool = False,
    timeout: float | None = None,
    known_failures: Path | None = None,
    update: bool = False,
) -> Session:
    """Load the implementation, select the cases that it is to be judged by, and read which of them are known to fail.

    An implementation may name its own file of known failures: `known_failures`.
    """
    only_edition = selection.editions[0] if selection.editions and len(selection.editions) == 1 else None
    implementation = load(name, only_edition, isolate, timeout)
    index = files.index()
    places = select(index, selection, None if selection.cases else implementation.editions)
    path = known_failures or getattr(implementation, "known_failures", None)
    if path is None and update:
        raise KnownFailuresError("--update-known-failures needs --known-failures=FILE, the file to write")
    known = read_known_failures(Path(path), index, update) if path else NONE_KNOWN
    return Session(implementation, places, known)


def select(
    index: dict[str, tuple[Path, int]], selection: Selection, claimed: Sequence[str] | None = None
) -> dict[str, tuple[Path, int]]:
    """The part of an index that a selection asks for, of the editions that the implementation claims."""
    known = {identity: identity.split("/")[:2] for identity in index}
    editions = _named(selection.editions, list(spec.editions()), "--edition")
    if editions is None and claimed is not None:
        editions = {edition for edition in claimed if edition in spec.editions()}
    optimizers = _named(selection.optimizers, [*spec.optimizers(), *wrapper_spec.wrappers()], "--optimizer")
    optimizers = optimizers and {name.lower() for name in optimizers}
    features = (
        _named(selection.features, sorted({f for name in _features(index) for f in name}), "--feature")
        if (selection.features)
        else None
    )
    for identity in selection.cases or ():
        if identity not in index:
            near = difflib.get_close_matches(identity, index, 3, 0.5)
            raise UnknownSelectionError(f"--case={identity}: no such case." + f" Near: {', '.join(near)}." * bool(near))
    chosen = {
        identity: place
        for identity, place in index.items()
        if (editions is None or known[identity][0] in editions)
        and (optimizers is None or _is_of(optimizers, identity, place))
        and (not selection.cases or identity in selection.cases)
        and (features is None or features & set(files.parsed(*place)["case"]["features"]))
        and (not selection.smoke or identity.endswith(SMOKE))
    }
    if not chosen:
        raise UnknownSelectionError(
            "no case fits the options: "
            + ", ".join(f"{name}={value}" for name, value in vars(selection).items() if value)
        )
    return chosen


def _is_of(optimizers: set[str], case: str, place: tuple[Path, int]) -> bool:
    """Is a case of one of these: by the second part of its id, or, if that is a kind, by the optimizer it is about?"""
    name = case.split("/")[1]
    if name in optimizers or name in _lower_names():
        return name in optimizers
    return (subject(files.parsed(*place)["case"]) or "").lower() in optimizers


@functools.cache
def _lower_names() -> frozenset[str]:
    """Optimizers and wrappers as they stand in the ids of cases."""
    return frozenset(name.lower() for name in (*spec.optimizers(), *wrapper_spec.wrappers()))


def _features(index: dict[str, tuple[Path, int]]) -> list[list[str]]:
    return [files.parsed(*place)["case"]["features"] for place in index.values()]


def _named(given: Sequence[str] | None, known: list[str], option: str) -> set[str] | None:
    """The known names that were given, whatever their case; UnknownSelectionError for any other."""
    if not given:
        return None
    spelled = {name.lower(): name for name in known}
    for name in given:
        if name.lower() not in spelled:
            raise UnknownSelectionError(f"{option}={name}: expected one of {', '.join(known)}.")
    return {spelled[name.lower()] for name in given}
