"""How tight the tolerances are: the smallest faults that they still let through, measured.

    python -m tests.tolerances            writes docs/tolerances.md: some minutes on two cores

A fault is a rule whose gradient, update or slot is too large by a share of itself, in every step.  Of
each bound in spec/, and of closeness for each optimizer, a few goldens that it applies to are asked, those from weights
of 0 first; a fault is let through if it passes all of them, and the largest such share is found by bisection.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import inspect
import math
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple
from unittest import mock

import numpy as np

from goldenstep import spec
from goldenstep.conformance import closeness
from goldenstep.conformance.keras_shaped import reference
from goldenstep.golden import files
from goldenstep.golden.compare import bounds, compare, fed

from .wrong import WRONG, rows  # type: ignore[import-not-found]  # pytest finds the package beside this file

Document = dict[str, Any]
PAGE = Path(__file__).parent.parent / "docs" / "tolerances.md"
TABLES = ("RULES", "SPARSE", "GRAPH", "GRAPH_SPARSE")
LARGEST = 0.25
STEPS = 7
"""So often is a factor of 2**16 halved: what is found is right within a tenth."""
ASKED = 6
NEAR = 3
SEARCHED, TOLD = 60, 12
"""Of goldens that may tell a wrong implementation: how many are run, and in how many of them it is to be close."""
LATE = ("thousand", "gradient-nan", "gradient-infinite", "gradient-huge", "gradient-shrinking")
EDITIONS = ("keras3", "tf2.15", "tf2.4")
"""Of closeness: each optimizer in the first of these that has it."""


class Fault(NamedTuple):
    """What is too large by a share: "gradient", "update", a hyperparameter or a slot."""

    kind: str
    share: float


def faulty(rule: Callable[..., Any], fault: Fault) -> Callable[..., Any]:
    """A rule with a fault."""
    parameters = list(inspect.signature(rule).parameters.values())
    names = [p.name for p in parameters if p.kind is not p.KEYWORD_ONLY]
    slots = [name for name in names[2:] if name != "indices"]

    @functools.wraps(rule)
    def wrong(w: np.ndarray, g: np.ndarray, *state: np.ndarray, **hyper: Any) -> tuple[Any, ...]:
        if fault.kind in hyper:
            hyper[fault.kind] = hyper[fault.kind] * (1 + fault.share)
        g = larger(g, fault.share) if fault.kind == "gradient" else g
        new, *moved = rule(w, g, *state, **hyper)
        if fault.kind == "update":
            new = (w + (np.asarray(new, np.float64) - w) * (1 + fault.share)).astype(w.dtype)
        if fault.kind in slots:
            place = slots.index(fault.kind)
            moved[place] = larger(moved[place], fault.share)
        return (new, *moved)

    return wrong


def larger(x: np.ndarray, share: float) -> np.ndarray:
    """`x` larger by a share of itself, rounded to its dtype."""
    return np.asarray(np.asarray(x, np.float64) * (1 + share)).astype(np.asarray(x).dtype)


@contextlib.contextmanager
def at_work(optimizer: str, fault: Fault) -> Iterator[None]:
    """All rules of an optimizer have the fault."""
    module = rules_of(optimizer)
    with contextlib.ExitStack() as stack:
        for name in TABLES:
            table = {
                e: {v: faulty(rule, fault) for v, rule in rules.items()}
                for e, rules in vars(module).get(name, {}).items()
            }
            if table:
                stack.enter_context(mock.patch.object(module, name, table))
        yield


def rules_of(optimizer: str) -> ModuleType:
    """The rule file of an optimizer."""
    return importlib.import_module(f"goldenstep.reference.rules.{optimizer.lower()}")


# ---- what a bound applies to ------------------------------------------------------------------------------------


def cases_of(optimizer: str, bound: Document) -> list[str]:
    """Ids of some goldens that a bound applies to and that end without an error, the most telling ones first."""
    found = all_cases_of(optimizer, bound)
    zero = [identity for identity in found if "starts-at-zero" in identity]
    begun = spread(zero, ASKED // 2)
    return [*begun, *spread([identity for identity in found if identity not in zero] or zero, ASKED - len(begun))]


def spread(ids: list[str], count: int) -> list[str]:
    """So many of these, evenly spread over them; all if there are no more."""
    return [ids[place * len(ids) // count] for place in range(count)] if len(ids) > count else ids


def all_cases_of(optimizer: str, bound: Document) -> list[str]:
    """Ids of all of them."""
    found = []
    for identity in places():
        edition, kind, slug = identity.split("/", 2)
        if edition in bound["editions"] and kind == optimizer.lower() and not slug.startswith(LATE):
            golden = of(identity)
            if "error" not in golden["trajectory"] and any(same(b, bound) for b in bounds(golden["case"])):
                found.append(identity)
    return found


def same(one: Document | None, other: Document) -> bool:
    """Are they one entry?"""
    return one is not None and {**one} == {**other}


@functools.cache
def places() -> dict[str, tuple[Path, int]]:
    """Where each golden is."""
    return files.index()


@functools.lru_cache(maxsize=4000)
def of(identity: str) -> Document:
    """A golden by its id."""
    return files.parsed(*places()[identity])


@functools.cache
def implementation() -> Any:
    """The reference."""
    return reference()


def passes(identity: str, optimizer: str, fault: Fault) -> bool:
    """Does a golden pass under its bound, step by step from the recorded state, as the judge asks it?"""
    golden = of(identity)
    case, trajectory = golden["case"], golden["trajectory"]
    with at_work(optimizer, fault):
        got = implementation().run(fed(case, trajectory))
    return compare(case, trajectory, got).divergence is None


@functools.lru_cache(maxsize=4000)
def margins(identity: str) -> Any:
    """What closeness allows in a golden."""
    golden = of(identity)
    return closeness.margins(golden["case"], golden["trajectory"], closeness.PORT)


def is_close(identity: str, optimizer: str, fault: Fault) -> bool:
    """Is a golden close, as `--tolerance=port` asks it?"""
    golden, allowed = of(identity), margins(identity)
    with at_work(optimizer, fault):
        got = implementation().run(fed(golden["case"], golden["trajectory"]))
    with mock.patch.object(closeness, "margins", return_value=allowed):
        found = closeness.measure(golden["case"], golden["trajectory"], got, closeness.PORT)
    return found is None or found.divergence is None


def let_through(ids: list[str], passing: Callable[[str, float], bool]) -> tuple[float, str]:
    """The largest share that every golden lets pass, within a tenth, and the golden that stops what is larger.

    A golden that passes what the others have let through so far needs no bisection.
    """
    most, last = LARGEST, ""
    for identity in ids:
        if passing(identity, most):
            continue
        low, high = most * 2.0**-32, most
        while high / low > 1.1:
            middle = math.sqrt(low * high)
            low, high = (middle, high) if passing(identity, middle) else (low, middle)
        most, last = low, identity
    return most, last


class Row(NamedTuple):
    """A line of the page."""

    optimizer: str
    what: str
    cases: int
    faults: dict[str, tuple[float, str]]


def row_of_bound(optimizer: str, number: int) -> Row:
    """What one bound lets through."""
    bound = spec.optimizers()[optimizer]["bounds"][number]
    ids, mode = cases_of(optimizer, bound), bound.get("mode", "eager")
    kinds = ["update", *bound.get("slots_ulp", {})]
    faults = {
        kind: let_through(ids, lambda i, share, kind=kind: passes(i, optimizer, Fault(kind, share)))  # type: ignore[misc]
        for kind in kinds
    }
    where = f"{', '.join(bound['editions'])}; {mode}" + (
        f"; {', '.join(bound['variants'])}" if "variants" in bound else ""
    )
    slots = "".join(f", {slot} {ulp}" for slot, ulp in bound.get("slots_ulp", {}).items())
    return Row(optimizer, f"{where} | update {bound['update_ulp']}{slots} ulp", len(ids), faults)


def near_cases_of(optimizer: str) -> tuple[str, list[str]]:
    """The edition in which closeness is measured of an optimizer, and some float32 goldens of it."""
    edition = next(e for e in EDITIONS if optimizer in spec.available(e))
    wanted = ("starts-at-zero", "defaults-float32", "shape-", "epsilon", "beta")
    ids = [
        i
        for i in places()
        if i.startswith(f"{edition}/{optimizer.lower()}/")
        and any(word in i for word in wanted)
        and not any(word in i for word in ("float64", "float16", "sparse", "graph", "global_clipnorm"))
    ]
    ids = [i for i in ids if "error" not in of(i)["trajectory"]]
    ids = sorted(ids, key=lambda i: "starts-at-zero" not in i)[:NEAR]
    return edition, [i for i in ids if margins(i) is not None]


def row_of_closeness(optimizer: str) -> Row:
    """What closeness lets through of an optimizer's float32 goldens."""
    edition, ids = near_cases_of(optimizer)
    faults = {
        kind: let_through(ids, lambda i, share, kind=kind: is_close(i, optimizer, Fault(kind, share)))  # type: ignore[misc]
        for kind in ("update", "gradient")
    }
    return Row(optimizer, edition, len(ids), faults)


# ---- wrong implementations --------------------------------------------------------------------------------------


def share_of(identity: str, suspect: Any) -> float | None:
    """The largest error of a wrong implementation in a golden, as a share of its margin; None where none is told."""
    golden = of(identity)
    case, trajectory = golden["case"], golden["trajectory"]
    if "error" in trajectory or not closeness.measurable(case):
        return None
    with suspect.at_work():
        got = implementation().run(fed(case, trajectory))
    if compare(case, trajectory, got).exact:
        return None
    allowed = margins(identity)
    if allowed is None:
        return None
    with mock.patch.object(closeness, "margins", return_value=allowed):
        found = closeness.measure(case, trajectory, got, closeness.PORT)
    return float("inf") if found is None else found.share


def telling(suspect: Any) -> Iterator[str]:
    """Goldens that may tell a wrong implementation: the one that rejects it to the bit, then those of its features."""
    first = rows()[suspect.id].case
    if first not in places():
        return
    yield first
    optimizers = {optimizer.lower() for optimizer in suspect.optimizers}
    edition, named = first.split("/")[0], set(of(first)["case"]["features"])
    ids = [i for i in places() if i.split("/")[0] in suspect.editions and i.split("/")[1] in optimizers and i != first]
    ids = [i for i in ids if "thousand" not in i]
    alike = [i for i in ids if i.startswith(edition) and set(of(i)["case"]["features"]) == named]
    yield from spread(alike, SEARCHED)
    yield from spread([i for i in ids if named <= set(of(i)["case"]["features"]) and i not in alike], SEARCHED)


def is_always_close(identity: str) -> bool:
    """Is a wrong implementation close in the goldens asked that it does not pass to the bit, a dozen of them?"""
    told = 0
    for golden in telling(WRONG[identity]):
        share = share_of(golden, WRONG[identity])
        if share is not None and share > 1:
            return False
        told += share is not None
        if told == TOLD:
            break
    return told > 0


HEAD = """# How tight the tolerances are

A tolerance is worth what it rejects. A fault was put into every rule, an update, gradient or slot that
is too large by a share of itself in every step, and made smaller until all of the goldens asked (at most 6 of those
that a tolerance applies to) let it pass. The tables say the largest such share, within a tenth; one ulp of a float32 is
1.2e-07 of a number at most, and 3.0e-08 rounds to the same number. A golden without a bound is compared to the bit.
`python -m tests.tolerances` writes this page; a test measures some of its rows again.

## Bounds

Where the arithmetic depends on the processor, a document of [spec/optimizers](../spec/optimizers) states a bound. The
reference has the recorded bits all the same; the bound is for processors of other makers. With another table of
reciprocal roots in the place of Intel's, of all bits of a float32 instead of 13, the reference loses the bits of
some of the goldens asked for each bound, and stays within it: every bound is needed (tests/test_tolerances.py).
No wrong implementation of [tests/wrong](../tests/wrong/README.md) passes under a bound: its goldens reject each as the
judge asks them, bounds and all.

| optimizer | where | bound | goldens | the largest fault that passes |
|---|---|---|---|---|
"""
CLOSE = """
## Closeness

`--tolerance=port` calls close what a right implementation may miss by rounding elsewhere, each step from the recorded
state: [conformance/closeness.py](../conformance/closeness.py) says how the margin of each element is made. Asked are
three goldens, one of them from weights of 0 where there is one. "> 0.25" is a fault that none tells.

| optimizer | edition | goldens | the largest fault that is close |
|---|---|---|---|
"""

SURVIVORS = """
## Wrong implementations that are close

Of the {all} wrong implementations of [tests/wrong](../tests/wrong/README.md) these {count} are close wherever they were
asked: in the golden that rejects them to the bit, and in up to a dozen others that they do not pass, of those that have
the same features. Nearly all of them compute the right rule in another order or precision, which is what closeness is
for. Of the others the fault is smaller than a rounding where it was looked for (an epsilon that is too small to count,
the sign of a zero, a denormal number), flips a sign that rounding may flip, or shows only in steps on end, while each
step is judged from the recorded state. So a port is proven to be a port, and no more.

{ids}
"""


def survivors() -> str:
    """The last part of the page."""
    with ProcessPoolExecutor(2) as pool:
        always = pool.map(is_always_close, WRONG, chunksize=8)
        ids = [identity for identity, close in zip(WRONG, always, strict=True) if close]
    return SURVIVORS.format(all=len(WRONG), count=len(ids), ids="\n".join(f"- `{i}`: {WRONG[i].what}" for i in ids))


def line(row: Row) -> str:
    """A row of the page."""
    shares = "; ".join(f"{kind} {shown(share)}" for kind, (share, _) in row.faults.items())
    return f"| {row.optimizer} | {row.what} | {row.cases} | {shares} |\n"


def shown(share: float) -> str:
    """A share with two digits."""
    return f"> {LARGEST}" if share >= LARGEST else f"{share:.1e}"


def jobs() -> list[tuple[str, int]]:
    """Every bound."""
    return [(name, n) for name, d in spec.optimizers().items() for n in range(len(d.get("bounds", [])))]


def main() -> None:
    """Measure all of it and write the page."""
    with ProcessPoolExecutor(2) as pool:
        stated = pool.map(row_of_bound, *zip(*jobs(), strict=True))
        near = pool.map(row_of_closeness, spec.optimizers())
        text = HEAD
        for row in stated:
            text += line(row)
            print(line(row), end="", flush=True)
        text += CLOSE
        for row in near:
            text += line(row)
            print(line(row), end="", flush=True)
    PAGE.write_text(text + survivors(), "utf-8")


if __name__ == "__main__":
    main()
