"""The register of errata, the reference as documented, and the judge who lets an implementation follow either."""

from __future__ import annotations

import copy
import functools
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from goldenstep import spec
from goldenstep.conformance.errata import as_documented, covers, equal, errata_of, shown, trajectories
from goldenstep.conformance.errata_page import page, release_of, reproduced
from goldenstep.conformance.exposure import PART
from goldenstep.conformance.implementations import KerasElsewhere
from goldenstep.conformance.keras_shaped import KerasShaped, reference
from goldenstep.conformance.verdict import Verdict, fails, judge
from goldenstep.golden import files
from goldenstep.reference import documented
from goldenstep.reference.documented import DOCUMENTED, PIPELINES, TOGETHER
from goldenstep.spec import wrapper as wrapper_spec

Document = dict[str, Any]
ROOT = Path(__file__).parent.parent
ERRATA = spec.errata()


@functools.cache
def goldens() -> dict[str, Document]:
    """Every golden of an optimizer by the id of its case."""
    return {
        golden["case"]["id"]: golden
        for path in files.paths()
        for golden in files.goldens(path)
        if "optimizer" in golden["case"]
    }


def named(identity: str) -> list[Document]:
    """The goldens that an erratum names."""
    entries = ERRATA[identity]["cases"]
    return [g for g in goldens().values() if any(covers(entry, g["case"]) for entry in entries)]


# ---- the register -----------------------------------------------------------------------------------------------
# Other features carry a small difference on, or need what an implementation made of one optimizer has not.
PLAIN = {"dense", "clipping", "weight_decay"}


@pytest.mark.parametrize("identity", ERRATA)
def test_an_erratum_satisfies_its_schema(identity: str) -> None:
    spec.validate(ERRATA[identity], "erratum", identity)
    assert ERRATA[identity]["id"] == identity


def test_ids_and_titles_are_unique_and_ids_without_gap() -> None:
    assert list(ERRATA) == [f"E-{number:03}" for number in range(1, len(ERRATA) + 1)]
    assert len({erratum["title"] for erratum in ERRATA.values()}) == len(ERRATA)


@pytest.mark.parametrize("identity", ERRATA)
def test_an_erratum_names_what_there_is(identity: str) -> None:
    erratum = ERRATA[identity]
    for entry in [erratum, *erratum["cases"]]:
        assert set(entry["editions"]) <= set(spec.editions())
        assert set(entry["editions"]) <= set(erratum["editions"])
        if entry["optimizers"] != "all":
            assert set(entry["optimizers"]) <= {*spec.optimizers(), *wrapper_spec.wrappers()}
    assert erratum["reproduction"]["edition"] in erratum["editions"]
    assert any("documented:" in line for line in erratum["reproduced"])
    assert any("happens:" in line for line in erratum["reproduced"])


@pytest.mark.parametrize("identity", ERRATA)
def test_every_pattern_finds_a_golden_in_each_edition(identity: str) -> None:
    for entry in ERRATA[identity]["cases"]:
        for edition in entry["editions"]:
            known = {**spec.available(edition), **wrapper_spec.available(edition)}
            having = spec.available(edition) if entry["optimizers"] == "all" else set(known) & set(entry["optimizers"])
            assert having
            for optimizer in having:
                of_both = [files.parsed(*place) for place in places(edition, optimizer)]
                assert any(covers(entry, golden["case"]) for golden in of_both), (edition, optimizer)


def test_what_is_no_erratum_says_why() -> None:
    for entry in spec.not_errata():
        assert set(entry) == {"what", "editions", "why"}
        assert set(entry["editions"]) <= set(spec.editions())
        assert entry["what"] not in {erratum["title"] for erratum in ERRATA.values()}
        assert entry["why"] in page()


def places(edition: str, optimizer: str) -> list[tuple[Path, int]]:
    """Where the goldens of an optimizer of an edition are."""
    name = optimizer.lower()
    kinds = [f"{kind}/{name}-" for kind in ("resume", "config", "weights")] + [f"files/{name}/", f"{name}/"]
    mine = tuple(f"{edition}/{kind}" for kind in [*kinds, "identifiers/", "schedules/"])
    return [place for identity, place in files.index().items() if identity.startswith(mine)]


def without_until(erratum: Document) -> None:
    del erratum["until"]


def with_cases_and_until(erratum: Document) -> None:
    erratum["cases"] = copy.deepcopy(ERRATA["E-001"]["cases"])


def eleven_lines(erratum: Document) -> None:
    erratum["reproduction"]["script"] = ["print(1)"] * 11


def unknown_key(erratum: Document) -> None:
    erratum["bug"] = "A08"


def a_word_for_a_link(erratum: Document) -> None:
    erratum["upstream"] = "somewhere"


SPOILERS: list[Callable[[Document], None]] = [
    without_until, with_cases_and_until, eleven_lines, unknown_key, a_word_for_a_link,
]  # fmt: skip


@pytest.mark.parametrize("spoil", SPOILERS)
def test_a_spoiled_erratum_is_refused(spoil: Callable[[Document], None]) -> None:
    erratum = {**copy.deepcopy(ERRATA["E-016"]), "cases": [], "until": "graph"}
    spec.validate(erratum, "erratum", "unspoiled")
    spoil(erratum)
    with pytest.raises(spec.SpecificationError, match="spoiled: erratum"):
        spec.validate(erratum, "erratum", "spoiled")


# ---- the reference as documented --------------------------------------------------------------------------------


@pytest.mark.parametrize("identity", DOCUMENTED)
def test_the_documented_rule_gives_other_bits_where_the_erratum_says_so(identity: str) -> None:
    different: dict[tuple[str, str], bool] = {}
    for golden in named(identity):
        case = golden["case"]
        ((_, computed),) = trajectories(case, [(identity,)])
        place = case["edition"], case["optimizer"]["class_name"]
        different[place] = different.get(place, False) or not equal(golden["trajectory"], computed)
    assert different
    assert [place for place, found in different.items() if not found] == []


@pytest.mark.parametrize("identity", DOCUMENTED)
def test_what_is_documented_differs_nowhere_else(identity: str) -> None:
    """Corrected or not, the goldens that the erratum does not name come out as recorded."""
    erratum = ERRATA[identity]
    covered = {golden["case"]["id"] for golden in named(identity)}
    optimizers = ["SGD", "Adam"] if erratum["optimizers"] == "all" else erratum["optimizers"]
    for edition in erratum["editions"]:
        for optimizer in set(optimizers) & set(spec.available(edition)):
            implementation = as_documented(edition, optimizer, (identity,))
            for golden in [files.parsed(*place) for place in places(edition, optimizer)]:
                case = golden["case"]
                plain = set(case["features"]) <= PLAIN
                if plain and case["id"] not in covered and "thousand" not in case["id"]:
                    record = judge(implementation, case, golden["trajectory"])
                    assert not fails(record), record.reason


def test_tables_speak_of_registered_errata_and_shipped_rules() -> None:
    assert set(PIPELINES) <= set(DOCUMENTED) <= set(ERRATA)
    for table in [*DOCUMENTED.values(), *TOGETHER.values()]:
        for edition, optimizer, variant in table:
            assert variant == "prepare" or variant in [v["name"] for v in spec.optimizers()[optimizer]["variants"]]
            assert edition in spec.optimizers()[optimizer]["editions"]
    for identity, table in DOCUMENTED.items():
        for edition, optimizer, _ in table:
            assert documented.concerns(identity, edition, optimizer)


# ---- the judge --------------------------------------------------------------------------------------------------


def following(errata: tuple[str, ...]) -> KerasShaped:
    """The reference as documented in all these errata, in every edition."""
    implementation = reference()
    implementation.namespaces = {
        edition: SimpleNamespace(**{n: documented.optimizer(edition, n, errata) for n in spec.available(edition)})
        for edition in spec.editions()
    }
    return implementation


# One case of each erratum that has a documented rule, small enough to be judged in several ways.
WITNESSES = {
    "E-001": "keras3/nadam/defaults-float32",
    "E-002": "tf2.15/nadam/epsilon=0.1",
    "E-003": "keras3/rmsprop/epsilon=0.01",
    "E-004": "keras3/adafactor/learning_rate=3.0+beta_2_decay=-1.0+epsilon_2=0.1+relative_step=false-float32",
    "E-005": "keras3/schedulefreeadamw/defaults-float32",
    "E-006": "keras3/schedulefreeadamw/warmup_steps=3",
    "E-007": "keras3/schedulefreeadamw/weight_decay=0.1",
    "E-008": "tf2.9/adamw/defaults-float32",
    "E-009": "tf2.9/rmsprop/centered",
    "E-010": "tf2.9/rmsprop/centered",
    "E-011": "tf2.4/ftrl/l2_shrinkage_regularization_strength=0.01",
    "E-012": "tf2.4/adagrad/gradient-huge",
    "E-013": "keras3/adam/use_ema",
    "E-063": "keras3/sgd/use_ema+shape-0x2",
    "E-064": "keras3/sgd/overwrite-bias+use_ema+finalized",
    "E-065": "keras3/sgd/variable-twice-at-first",
}


def test_every_documented_rule_has_its_witness() -> None:
    assert list(WITNESSES) == list(DOCUMENTED)


@pytest.mark.parametrize("identity", WITNESSES)
def test_the_judge_takes_either_way_unless_one_is_asked_for(identity: str) -> None:
    golden = goldens()[WITNESSES[identity]]
    case, recorded = golden["case"], golden["trajectory"]
    assert identity in errata_of(case)
    other = judge(following((identity,)), case, recorded, "either")
    assert other.verdict is Verdict.AS_DOCUMENTED
    assert other.errata == (identity,)
    assert identity in other.reason
    assert not fails(other, "either")
    assert not fails(other, "documented")
    strict = judge(following((identity,)), case, recorded, "shipped")
    assert strict.verdict is Verdict.DIVERGES
    assert fails(strict, "shipped")
    shipped = judge(reference(), case, recorded, "either")
    assert shipped.verdict is Verdict.EXACT
    assert not fails(shipped, "either")
    asked = judge(reference(), case, recorded, "documented")
    assert asked.verdict is Verdict.EXACT
    assert identity in asked.errata
    assert fails(asked, "documented")


@pytest.mark.parametrize("errata", [tuple(sorted(errata)) for errata in TOGETHER], ids="+".join)
def test_several_errata_may_be_followed_at_once(errata: tuple[str, ...]) -> None:
    short = [g for g in goldens().values() if "thousand" not in g["case"]["id"]]
    plain = [g for g in short if set(g["case"]["features"]) <= PLAIN | {"ema"}]
    together = [g for g in plain if set(errata) <= set(errata_of(g["case"]))]
    if not together:
        pytest.skip("no plain recorded case that all of them concern")
    implementation = following(errata)
    verdicts = {judge(implementation, g["case"], g["trajectory"], "either").verdict for g in together}
    assert Verdict.AS_DOCUMENTED in verdicts
    assert verdicts <= {Verdict.AS_DOCUMENTED, Verdict.EXACT, Verdict.WITHIN}


def astray(errata: tuple[str, ...], edition: str, optimizer: str) -> KerasShaped:
    """As documented, but with a third behaviour: every step is off by a thousandth."""
    implementation = following(errata)
    shipped = getattr(implementation.namespaces[edition], optimizer)

    class Third(shipped):  # type: ignore[misc, valid-type]
        def _update(self, variable: Any, *rest: Any) -> None:
            super()._update(variable, *rest)
            variable.value = np.asarray(variable.value + variable.dtype.type(0.001))

    Third.__signature__ = shipped.__signature__
    setattr(implementation.namespaces[edition], optimizer, Third)
    return implementation


@pytest.mark.parametrize("identity", WITNESSES)
def test_a_third_behaviour_still_diverges(identity: str) -> None:
    golden = goldens()[WITNESSES[identity]]
    case = golden["case"]
    implementation = astray((identity,), case["edition"], case["optimizer"]["class_name"])
    assert judge(implementation, case, golden["trajectory"], "either").verdict is Verdict.DIVERGES


def test_another_order_of_operations_is_as_documented_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def associated(w, g, v, *, learning_rate, rho, epsilon):  # type: ignore[no-untyped-def]
        lr, rest, epsilon = (w.dtype.type(x) for x in (learning_rate, 1 - rho, epsilon))
        v = v + (g * g - v) * rest
        return w - lr * (g / (np.sqrt(v) + epsilon)), v

    golden = goldens()[WITNESSES["E-003"]]
    implementation = following(("E-003",))
    optimizer = implementation.namespaces["keras3"].RMSprop
    monkeypatch.setitem(optimizer.rules.RULES["keras3"], "plain", associated)
    record = judge(implementation, golden["case"], golden["trajectory"], "either")
    assert record.verdict is Verdict.AS_DOCUMENTED


def test_what_shows_only_a_part_of_its_state_may_follow_the_document_too() -> None:
    """Keras on JAX: as documented in E-005, and its count of steps is not shown."""
    golden = goldens()[WITNESSES["E-005"]]
    for implementation, verdict in (
        (following(("E-005",)), Verdict.AS_DOCUMENTED),
        (astray(("E-005",), "keras3", "ScheduleFreeAdamW"), Verdict.DIVERGES),
    ):
        implementation.__class__ = KerasElsewhere
        record = judge(implementation, golden["case"], golden["trajectory"], "either")
        assert (record.verdict, record.compared) == (verdict, PART)


def test_events_that_name_variables_without_gradients_hide_nothing() -> None:
    golden = goldens()["keras3/adam/use_ema+finalize-some"]
    implementation = reference()
    implementation.__class__ = KerasElsewhere
    record = judge(implementation, golden["case"], golden["trajectory"], "either")
    assert (record.verdict, record.compared) == (Verdict.EXACT, PART)


def test_no_erratum_stands_against_a_case_that_none_names() -> None:
    golden = goldens()["keras3/adam/defaults-float32"]
    assert shown(golden["case"], golden["trajectory"]) == ()
    record = judge(reference(), golden["case"], golden["trajectory"], "documented")
    assert not fails(record, "documented")


PACKAGE = """
from types import SimpleNamespace
from goldenstep.conformance.keras_shaped import reference
from goldenstep.reference import documented

def follows():
    implementation = reference()
    implementation.namespaces = {"keras3": SimpleNamespace(Nadam=documented.optimizer("keras3", "Nadam", ["E-001"]))}
    implementation.editions = ["keras3"]
    return implementation
"""


@pytest.mark.parametrize(("choice", "status"), [("either", 0), ("documented", 0), ("shipped", 1)])
def test_the_option_decides_and_the_table_counts(choice: str, status: int, tmp_path: Path) -> None:
    (tmp_path / "mynadam.py").write_text(PACKAGE)
    command = [sys.executable, "-m", "pytest", "--pyargs", "goldenstep.conformance", "-q", "-p", "no:cacheprovider"]
    command += ["--impl=mynadam:follows", "--case=keras3/nadam/defaults-float32", f"--errata={choice}"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert result.returncode == status, result.stdout + result.stderr
    assert ("mented" in result.stdout) == (choice != "shipped")


# ---- the page, and the real releases ----------------------------------------------------------------------------


def test_the_committed_page_is_the_one_that_the_register_gives() -> None:
    assert (ROOT / "docs" / "errata.md").read_text("utf-8") == page() + "\n"


@pytest.mark.skipif(
    "GOLDENSTEP_REPRODUCE" not in os.environ, reason="set GOLDENSTEP_REPRODUCE to run the real releases"
)
@pytest.mark.parametrize("release", dict.fromkeys(release_of(edition) for edition in spec.editions()))
def test_every_erratum_is_reproduced_by_its_release(release: str) -> None:
    wanted = {i: e["reproduced"] for i, e in ERRATA.items() if release_of(e["reproduction"]["edition"]) == release}
    assert reproduced(release) == wanted
