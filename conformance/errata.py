"""Errata and the judge: which errata a case shows, and whether an implementation does what the release documents."""

from __future__ import annotations

import fnmatch
import functools
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations
from types import SimpleNamespace
from typing import Any, Protocol

import numpy as np

from goldenstep import spec
from goldenstep.golden.codec import array, unflat
from goldenstep.golden.compare import full_config, scaled_ulps, ulps, update_ulps, with_layouts
from goldenstep.reference import documented

from .answers import misshapen
from .exposure import visible
from .keras_shaped import KerasShaped
from .pristine import another, module_of

Document = dict[str, Any]


class Runs(Protocol):
    """Anything that plays a case step by step, each from the state that a trajectory has before it."""

    def stepwise(self, case: Document, trajectory: Document) -> Document | None:
        """The trajectory of such steps; None if it can't begin at a state that it is given."""


ULP = 4.0  # documented behaviour was never recorded: it is computed, and another order of operations is as good


def covers(entry: Document, case: Document) -> bool:
    """Does an entry of an erratum's `cases` name this case?"""
    if case["edition"] not in entry["editions"]:
        return False
    name, identity = subject(case), case["id"]
    kind = identity.split("/")[1]
    # A case that is none of an optimizer's steps has a kind of its own, which a pattern must name.
    ids = [p for p in entry["ids"] if "optimizer" in case or p.split("/")[1:2] == [kind]]
    wanted = spec.optimizers() if entry["optimizers"] == "all" else entry["optimizers"]
    config = full_config(case) if "optimizer" in case and name in spec.optimizers() else {}
    return (
        (name in wanted or (name is None and "optimizer" not in case))
        and any(fnmatch.fnmatchcase(identity, pattern) for pattern in ids)
        and not any(fnmatch.fnmatchcase(identity, pattern) for pattern in entry.get("except", ()))
        and spec.holds(entry.get("when", {}), config)
    )


def subject(case: Document) -> str | None:
    """The class of the optimizer that a case is about: that it steps, that was saved, or the first that is made."""
    made = [call["construct"] for call in case.get("calls", ()) if "construct" in call]
    described: Document = case.get("optimizer") or case.get("trained") or (made[0] if made else {})
    return described.get("class_name")


def errata_of(case: Document) -> list[str]:
    """Ids of the errata that name this case and that the reference computes as documented, too."""
    return [
        identity
        for identity, erratum in spec.errata().items()
        if identity in documented.DOCUMENTED and any(covers(entry, case) for entry in erratum["cases"])
    ]


def subsets(errata: list[str]) -> Iterator[tuple[str, ...]]:
    """Every choice of errata to correct, all of them first."""
    for count in range(len(errata), 0, -1):
        yield from combinations(errata, count)


@functools.lru_cache(maxsize=32)
def as_documented(edition: str, optimizer: str, errata: tuple[str, ...]) -> KerasShaped:
    """The reference as documented where these errata say that the release is not."""
    implementation = another()
    classes = {optimizer: module_of("documented").optimizer(edition, optimizer, errata)}
    implementation.namespaces = {edition: SimpleNamespace(**classes)}
    return implementation


def trajectories(case: Document, errata: Iterable[tuple[str, ...]]) -> Iterator[tuple[tuple[str, ...], Document]]:
    """The trajectory of a case for each choice of errata that is corrected."""
    for choice in errata:
        try:
            implementation = as_documented(case["edition"], case["optimizer"]["class_name"], choice)
        except LookupError:
            continue
        yield choice, implementation.run(case)


def shown(case: Document, expected: Document) -> tuple[str, ...]:
    """The errata for which the recorded trajectory is not what is documented."""
    errata = errata_of(case)
    return tuple(e for (e,), other in trajectories(case, ((e,) for e in errata)) if not equal(expected, other))


def followed(
    implementation: Runs, case: Document, got: Document, names: Sequence[str] | None = None
) -> tuple[str, ...]:
    """The errata that make the release's trajectory the implementation's, if they are corrected; or none.

    First to the bit, all steps on end; then each step by itself, from the state as documented, within 4 ulp. With
    `names` only these entries of the state are compared, for the implementation shows no other.
    """
    computed = list(trajectories(case, subsets(errata_of(case))))
    for choice, wanted in computed:
        if equal(visible(case, wanted, got, names), got):
            return choice
    for choice, wanted in computed:
        if "error" not in wanted and "error" not in got:
            answer = implementation.stepwise(case, wanted)
            if answer and misshapen(case, answer) is None and close(case, visible(case, wanted, answer, names), answer):
                return choice
    return ()


def equal(wanted: Document, got: Document) -> bool:
    """The same trajectory to the bit."""
    if (wanted.get("error") is None) != (got.get("error") is None) or wanted["layout"] != got["layout"]:
        return False
    if "error" in wanted and wanted["error"]["type"] != got["error"]["type"]:
        return False
    return str(plain(wanted)) == str(plain(got))


def plain(trajectory: Document) -> list[Any]:
    """The kept steps: their numbers, and the types of their errors."""
    steps = trajectory["steps"]
    return [[s["step"], s["variables"], s["state"], s.get("error", {}).get("type")] for s in steps]


def close(case: Document, wanted: Document, got: Document) -> bool:
    """Every step within 4 ulp: variables in ulp of their update, the state in ulp of its old or new size."""
    steps = {step["step"]: step for step in wanted["steps"]}
    layouts = dict(with_layouts(wanted))
    if "error" in got or not got["steps"] or any(layouts.get(n) != layout for n, layout in with_layouts(got)):
        return False
    starts = [array(variable["value"]) for variable in case["variables"]]
    for step in got["steps"]:
        expected, before = steps[step["step"]], steps.get(step["step"] - 1)
        for index, entry in enumerate(layouts[step["step"]]):
            e, g = (unflat(side["state"][index], entry["dtype"], tuple(entry["shape"])) for side in (expected, step))
            scale = np.abs(e)
            if before and layouts[step["step"] - 1] == layouts[step["step"]]:
                scale = np.maximum(scale, np.abs(unflat(before["state"][index], entry["dtype"], tuple(entry["shape"]))))
            if np.any((scaled_ulps(e, g, scale) if e.dtype.kind == "f" else ulps(e, g)) > ULP):
                return False
        for index, start in enumerate(starts):
            e, g = (unflat(side["variables"][index], start.dtype, start.shape) for side in (expected, step))
            old = unflat(before["variables"][index], start.dtype, start.shape) if before else start
            with np.errstate(all="ignore"):
                update = np.abs(e.astype(np.float64) - old.astype(np.float64)).astype(e.dtype)
            if np.any(update_ulps(e, g, update) > ULP):
                return False
    return True
