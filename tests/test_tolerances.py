"""docs/tolerances.md says what a tolerance lets through: a fault twice as large fails, one of half the size passes."""

from __future__ import annotations

import re

import numpy as np
import pytest

from goldenstep import spec
from goldenstep.golden.compare import Comparison, compare, fed
from goldenstep.reference import bits

from .tolerances import (  # type: ignore[import-not-found]  # pytest finds the module beside this file, mypy does not
    PAGE,
    Fault,
    cases_of,
    implementation,
    is_always_close,
    is_close,
    jobs,
    near_cases_of,
    of,
    passes,
)
from .wrong import WRONG  # type: ignore[import-not-found]  # pytest finds the package beside this file


def shares(beginning: str) -> dict[str, float]:
    """The faults of the page's row that begins so."""
    row = next(line for line in PAGE.read_text("utf-8").splitlines() if line.startswith(beginning))
    return {kind: float(share) for kind, share in re.findall(r"(\w+) (\d\.\de-\d\d)", row)}


@pytest.mark.parametrize(("optimizer", "kind"), [("Adafactor", "update")])
def test_a_bound_lets_through_what_the_page_says(optimizer: str, kind: str) -> None:
    bound = next(b for b in spec.optimizers()[optimizer]["bounds"] if b.get("mode") == "graph")
    share = shares(f"| {optimizer} | {', '.join(bound['editions'])}; graph")[kind]
    ids = cases_of(optimizer, bound)
    assert ids
    assert all(passes(identity, optimizer, Fault(kind, share / 2)) for identity in ids)
    assert not all(passes(identity, optimizer, Fault(kind, share * 2)) for identity in ids)


@pytest.mark.parametrize(("optimizer", "number"), jobs())
def test_a_bound_is_needed_and_suffices(optimizer: str, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a processor that estimates reciprocal roots with all bits of a float32, bits are lost and bounds kept."""
    exact = (1 / np.sqrt(bits.MIDDLES)).astype(np.float32).view(np.uint32)
    assert np.any(exact != bits.ESTIMATES)
    ids = cases_of(optimizer, spec.optimizers()[optimizer]["bounds"][number])
    found: dict[bool, list[Comparison]] = {False: [], True: []}
    for other in found:
        if other:
            monkeypatch.setattr(bits, "ESTIMATES", exact)
        for case, trajectory in ((of(i)["case"], of(i)["trajectory"]) for i in ids):
            found[other].append(compare(case, trajectory, implementation().run(fed(case, trajectory))))
    assert all(comparison.exact for comparison in found[False])
    assert not all(comparison.exact for comparison in found[True])
    assert [str(comparison.divergence) for comparison in found[True] if comparison.divergence] == []


def test_closeness_lets_through_what_the_page_says() -> None:
    (_, ids), share = near_cases_of("Lion"), shares("| Lion | keras3 ")["update"]
    assert ids
    assert all(is_close(identity, "Lion", Fault("update", share / 2)) for identity in ids)
    assert not all(is_close(identity, "Lion", Fault("update", share * 2)) for identity in ids)


def test_the_page_lists_the_wrong_implementations_that_are_close() -> None:
    """Another order of a product is close in all goldens that tell; an epsilon beside a norm is not."""
    text = PAGE.read_text("utf-8")
    listed = re.findall(r"^- `([^`]+)`", text, re.MULTILINE)
    assert listed == [identity for identity in WRONG if identity in set(listed)]
    assert f"these {len(listed)} are close" in text
    for identity in ("clipping/quotient-first", "clipping/norm-and-a-bit"):
        assert is_always_close(identity) is (identity in listed)
    assert {"clipping/quotient-first", "clipping/norm-and-a-bit"} & set(listed) == {"clipping/quotient-first"}


def test_every_bound_is_on_the_page() -> None:
    rows = PAGE.read_text("utf-8").splitlines()
    for optimizer, document in spec.optimizers().items():
        for bound in document.get("bounds", []):
            where = f"| {optimizer} | {', '.join(bound['editions'])}; {bound.get('mode', 'eager')}"
            assert any(row.startswith(where) and f"| update {bound['update_ulp']}" in row for row in rows), where
