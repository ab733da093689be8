"""No false alarm: right implementations pass a part of the suite; `python -m tests.right` runs it all."""

from __future__ import annotations

import functools
import shutil
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from goldenstep.conformance.closeness import ulps_of
from goldenstep.conformance.implementations import Implementation, load
from goldenstep.conformance.properties import Inapplicable, Subject, registered
from goldenstep.conformance.test_properties import minimal, refusal, those_of
from goldenstep.conformance.verdict import Record, Verdict, fails, judge
from goldenstep.golden import files

from .right import RIGHT  # type: ignore[import-not-found]  # pytest finds the package beside this file, mypy does not

Document = dict[str, Any]
ROOT = Path(__file__).parent.parent
INDEX = files.index()
PART = 150
PART_OF_THE_PORT = 30
PORT = "float64, rounded at the end"
SLOW = "functional"
"""Number by number, a thousand steps take seconds."""


@functools.cache
def right(name: str) -> Any:
    """The implementation, as --impl loads it."""
    if name == "javascript" and not shutil.which("node"):
        pytest.skip("no node here: the implementation in JavaScript is not tried")
    asked = RIGHT[name].replace("tests/right", str(ROOT / "tests" / "right"))
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))
    return load(asked)


@functools.cache
def goldens(name: str) -> tuple[list[Document], int]:
    """A part of the goldens that an implementation supports, evenly spread; and how many it does not support."""
    implementation: Implementation = right(name)
    claimed = [place for identity, place in INDEX.items() if identity.split("/")[0] in implementation.editions]
    found = [golden for place in claimed if supported(implementation, golden := files.parsed(*place))]
    short = [g for g in found if "keep" not in g["case"] or name != SLOW]
    part = PART_OF_THE_PORT if name == PORT else PART
    return short[:: max(1, len(short) // part)], len(claimed) - len(found)


def supported(implementation: Implementation, golden: Document) -> bool:
    """A process is asked only for the small cases that name what it declares; what else it lacks it says itself."""
    return implementation.supports(golden["case"]) is None


def tolerance_of(implementation: Implementation) -> int | None:
    return ulps_of(getattr(implementation, "tolerance", "exact"))


@functools.cache
def records(name: str, tolerance: int | None) -> list[Record]:
    """The verdicts on that part."""
    found, _ = goldens(name)
    return [judge(right(name), g["case"], g["trajectory"], "either", tolerance) for g in found]


@pytest.mark.parametrize("name", RIGHT)
def test_the_goldens_raise_no_alarm(name: str) -> None:
    """Nothing fails, most is judged, and what is not supported is counted as such."""
    judged = records(name, tolerance_of(right(name)))
    assert [f"{r.id}: {r.verdict.value}: {r.reason}" for r in judged if fails(r, "either")] == []
    assert sum(r.verdict is not Verdict.UNSUPPORTED for r in judged) > 0.4 * (
        PART_OF_THE_PORT if name == PORT else PART
    )
    assert goldens(name)[1] > 0


def test_to_the_bit_means_to_the_bit() -> None:
    """What rounds only at the end of a step is no alarm as a port; asked for the same bits, it is one."""
    judged = records(PORT, None)
    assert 0.5 < sum(r.verdict is Verdict.DIVERGES for r in judged) / len(judged) < 1
    close = records(PORT, tolerance_of(right(PORT)))
    assert {r.verdict for r in close} <= {Verdict.CLOSE, Verdict.EXACT, Verdict.AS_DOCUMENTED}
    assert Verdict.CLOSE in {r.verdict for r in close}


@pytest.mark.parametrize("name", [name for name in RIGHT if name != PORT])
def test_the_others_are_exact(name: str) -> None:
    """All others round where the release does; but for a power in JavaScript, which is not the C library's."""
    same = {Verdict.EXACT, Verdict.AS_DOCUMENTED, Verdict.UNSUPPORTED}
    others = [r.id for r in records(name, None) if r.verdict not in same]
    assert len(others) <= (2 if name == "javascript" else 0), others


@pytest.mark.parametrize("name", RIGHT)
def test_the_properties_raise_no_alarm(name: str) -> None:
    """Each property holds in two drawn cases of each edition."""
    implementation: Implementation = right(name)
    subject = Subject(implementation, "either", tolerance_of(implementation))
    tried = 0
    for identity, prop in registered().items():
        for edition in implementation.editions[-1:]:
            selected = [tuple(i.split("/")[:2]) for i in INDEX if i.startswith(f"{edition}/")]
            names = those_of(prop, edition, list(dict.fromkeys(selected)))
            able = tuple(n for n in names if refusal(implementation, minimal(prop, edition, n)) is None)
            tried += bool(able) and holds(subject, prop, edition, able, identity)
    assert tried > 20


def holds(subject: Subject, prop: Any, edition: str, able: tuple[str, ...], identity: str) -> bool:
    """Does it, in two cases? False if there was nothing to try; Broken if not."""
    found = 0

    @seed(zlib.crc32(f"right {identity} {edition}".encode()))
    @settings(
        max_examples=2, deadline=None, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
    )
    @given(prop.cases(edition, able))
    def check(case: Document) -> None:
        nonlocal found
        try:
            prop.check(subject, case)
            found += 1
        except Inapplicable:
            pass

    check()
    return found > 0


# ---- what they have shown ------------------------------------------------------------------------------------


def test_a_property_without_a_case_that_is_supported_is_skipped() -> None:
    """P-59 and P-65 are about rows and schedules: who declines them all is not told that they are broken."""
    arguments = ["conformance", "--impl=tests.right.partial", "-k", "P-59 or P-65 or P-04", "-p", "no:cacheprovider"]
    command = [sys.executable, "-m", "pytest", *arguments, "-q", "-rs", "-n", "0"]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 0, result.stdout
    assert "1 passed, 2 skipped" in result.stdout
    assert "unsupported: no " in result.stdout


def test_a_case_calls_nothing_that_its_features_do_not_name() -> None:
    """Who claims dense gradients only is not asked to finalize, to spare decay, or to set anything."""
    needs = {"finalize": "ema", "exclude": "weight_decay", "set": "learning_rate", "set_iterations": "learning_rate"}
    whole = {"methods", "minimize", "own_optimizer", "loss_scaling", "multi_optimizer", "resume", "errors", "graph"}
    strays = []
    for place in INDEX.values():
        case = files.parsed(*place)["case"]
        if "events" in case and not whole & set(case["features"]):
            called = {kind for event in case["events"] for kind in event.get("attempt", event)}
            strays += [(case["id"], kind) for kind in called & set(needs) if needs[kind] not in case["features"]]
    assert strays == []


def test_digits_that_read_back_to_the_same_bits_are_numbers_of_that_dtype() -> None:
    """P-03 takes 0.10000000149011612 for the float32 that 0.1 stands for, and not 0.10000000149."""
    from goldenstep.conformance.properties import held

    assert held([0.1, float(np.float32(0.1)), "-0", "NaN", 3.0], "float32")
    assert not held([0.10000000149], "float32")
    assert not held([2.5], "int64")


def test_features_are_declined_by_a_module_that_does_not_declare_them() -> None:
    partial = right("partial")
    assert partial.features == ["dense"]
    case = files.parsed(*INDEX["tf2.15/sgd/use_ema"])["case"]
    assert partial.supports(case) == "no ema"


@pytest.mark.parametrize(
    "identity", ["keras3/adam/gradient-huge", "keras3/adam/beta_2=0.0", "keras3/adagrad/gradient-huge"]
)
def test_what_overflows_or_cancels_only_in_float32_is_close(identity: str) -> None:
    """And a step that is one per cent too long there is not."""
    golden = files.parsed(*INDEX[identity])
    found = judge(right(PORT), golden["case"], golden["trajectory"], "either", 4)
    assert found.verdict is Verdict.CLOSE
    faster = Longer(right(PORT))
    assert judge(faster, golden["case"], golden["trajectory"], "either", 4).verdict is Verdict.DIVERGES


class Longer:
    """Another implementation whose learning rate is one per cent too large."""

    def __init__(self, other: Any) -> None:
        self.other = other
        self.name = "longer"
        self.editions = other.editions

    def supports(self, case: Document) -> str | None:
        return self.other.supports(case)  # type: ignore[no-any-return]

    def run(self, case: Document) -> Document:
        config = {"learning_rate": 0.001, **case["optimizer"]["config"]}
        config["learning_rate"] *= 1.01
        changed = {**case, "optimizer": {**case["optimizer"], "config": config}}
        got = self.other.run(changed)
        for step in got["steps"]:
            step["state"][1] = [0.001]
        return got  # type: ignore[no-any-return]
