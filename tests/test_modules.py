"""docs/modules.md, of a module shaped like Keras: what is missing makes cases unsupported, and nothing else."""

from __future__ import annotations

import itertools
import re
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from goldenstep import reference, spec
from goldenstep.conformance.implementations import UnknownImplementationError, shaped_like_keras
from goldenstep.conformance.verdict import Record, Verdict, judge
from goldenstep.golden import files
from goldenstep.reference.editions import keras3
from goldenstep.reference.formats.files import restore
from goldenstep.reference.graph import traced
from goldenstep.reference.replicas import Replicas

PAGE = Path(__file__).parent.parent / "docs/modules.md"
CASES = {
    "sparse": "keras3/adadelta/sparse-duplicate-rows",
    "constraints": "keras3/adadelta/non-negative",
    "schedules": "keras3/adadelta/schedule-exponential",
    "identifiers": "keras3/identifiers/get-adadelta",
    "own_optimizer": "keras3/own/defaults",
    "loss_scaling": "keras3/lossscaleoptimizer/defaults",
    "aggregation": "keras3/adagrad/replicas",
    "graph": "keras3/sgd/graph-defaults",
    "files": "keras3/files/adadelta/defaults-h5",
}
"""A case of each feature that the page's table names."""
OTHERS = {name.lower() for name in spec.optimizers()} - {"adadelta"}
PLAIN = "keras3/adadelta/defaults-float32"
BARE: dict[str, Any] = {"optimizers": types.SimpleNamespace(Adadelta=keras3.Adadelta), "Variable": reference.Variable}
ROWS = {
    cells[1]: re.findall(r"`(\w+)`", cells[3])[0]
    for cells in (line.split("|") for line in PAGE.read_text("utf-8").splitlines())
    if len(cells) > 3 and "feature `" in cells[3]
}


def whole() -> dict[str, Any]:
    """A module that has everything that the page names."""
    return {
        "optimizers": keras3,
        "Variable": reference.Variable,
        "clear_session": keras3.clear_session,
        "IndexedSlices": reference.IndexedSlices,
        "constraints": keras3.constraints,
        "Replicas": Replicas,
        "graph": traced,
        "restore_optimizer": restore,
    }


def record_of(module: dict[str, Any], identity: str) -> Record:
    """What is said of a module with these attributes on one golden."""
    golden = files.parsed(*files.index()[identity])
    implementation = shaped_like_keras(types.SimpleNamespace(**module), "mypkg", "keras3")
    return judge(implementation, golden["case"], golden["trajectory"])


def verdict_of(module: dict[str, Any], identity: str) -> Verdict:
    """The verdict alone."""
    return record_of(module, identity).verdict


def test_the_page_names_every_feature_that_has_a_case_here() -> None:
    """So that a row that is added is tried, too."""
    assert set(ROWS.values()) == set(CASES)


def test_two_attributes_are_enough() -> None:
    """Classes and variables: plain cases are exact, and there is nothing to register."""
    assert verdict_of(BARE, PLAIN) is Verdict.EXACT


def test_one_optimizer_is_enough_whatever_is_asked_of_it() -> None:
    """Of a module with nothing but Adadelta, no golden of the edition fails: the others are unsupported."""
    implementation = shaped_like_keras(types.SimpleNamespace(**BARE), "mypkg", "keras3")
    places = {i: place for i, place in files.index().items() if i.startswith("keras3/")}
    goldens = [files.parsed(*place) for i, place in places.items() if i.split("/")[1] not in OTHERS]
    records = [judge(implementation, golden["case"], golden["trajectory"]) for golden in goldens]
    assert {r.verdict for r in records} == {Verdict.EXACT, Verdict.UNSUPPORTED}, [r.id for r in records]
    assert sum(r.verdict is Verdict.EXACT for r in records) > 100


def test_two_optimizers_of_a_name_are_a_usage_error() -> None:
    """Which of them is meant can't be told, and the wrong one might be right."""
    other = types.SimpleNamespace(**BARE, Adadelta=numbered(itertools.count()))
    with pytest.raises(UnknownImplementationError, match=r"mypkg\.Adadelta and mypkg\.optimizers\.Adadelta"):
        shaped_like_keras(other, "mypkg", "keras3")


@pytest.mark.parametrize("feature", CASES)
def test_what_is_missing_is_unsupported_and_what_is_there_is_judged(feature: str) -> None:
    """Each row of the table."""
    assert verdict_of(BARE, CASES[feature]) is Verdict.UNSUPPORTED
    assert verdict_of(whole(), CASES[feature]) is Verdict.EXACT


def test_borrowed_variables_do_not_say_that_gradients_overwrite_them() -> None:
    """Whoever uses the reference's variables for optimizers of his own need not know what else they can."""
    case = "keras3/adadelta/overwrite-bias"
    assert verdict_of(BARE, case) is Verdict.EXACT

    class Adadelta:
        """Knows nothing of it."""

    class Plain:
        """A variable without the attribute."""

    assert record_of({**BARE, "optimizers": types.SimpleNamespace(Adadelta=Adadelta)}, case).reason == (
        "no overwrite_with_gradient"
    )
    assert record_of({**BARE, "Variable": Plain}, case).verdict is Verdict.UNSUPPORTED


def test_names_go_on_where_the_session_is_not_cleared() -> None:
    """The second optimizer of a class is `adadelta_1`, as in Keras, unless the module can begin anew."""
    counter = itertools.count()
    classes = types.SimpleNamespace(Adadelta=numbered(counter))
    without = whole() | {"optimizers": classes, "clear_session": lambda: None}
    assert [verdict_of(without, PLAIN) for _ in range(2)] == [Verdict.EXACT, Verdict.DIVERGES]
    assert "clear_session in docs/modules.md" in record_of(without, PLAIN).reason


def test_names_begin_anew_where_a_module_is_made_of_the_reference() -> None:
    """It need not say so: the judge knows how."""
    assert [verdict_of(BARE, PLAIN) for _ in range(2)] == [Verdict.EXACT, Verdict.EXACT]


def numbered(counter: Iterator[int]) -> type:
    """An Adadelta that counts those made before it by itself."""

    class Adadelta(keras3.Adadelta):  # type: ignore[misc]
        def __init__(self) -> None:
            number = next(counter)
            super().__init__(name=f"adadelta_{number}" if number else "adadelta")

    return Adadelta


@pytest.mark.parametrize(
    ("missing", "complaint"), [("optimizers", "expected classes"), ("Variable", "expected a class")]
)
def test_without_the_first_two_it_is_a_usage_error(missing: str, complaint: str) -> None:
    """The message says what was looked for."""
    module = {name: value for name, value in BARE.items() if name != missing}
    with pytest.raises(UnknownImplementationError, match=complaint):
        shaped_like_keras(types.SimpleNamespace(**module), "mypkg", "keras3")


@pytest.mark.parametrize(
    ("held", "told"), [({}, "has no `variables`"), ({"variables": [np.zeros(3)]}, "holds a nameless ndarray")]
)
def test_who_does_not_show_the_state_is_told_how(held: dict[str, Any], told: str) -> None:
    """Without `variables`, or with arrays that have no names, the error says what is expected."""

    def apply_gradients(self: Any, pairs: Any) -> None:
        list(pairs)

    made = type("Adadelta", (), {"__init__": lambda self, **config: None, "apply_gradients": apply_gradients, **held})
    golden = files.parsed(*files.index()[PLAIN])
    module = types.SimpleNamespace(**{**BARE, "optimizers": types.SimpleNamespace(Adadelta=made)})
    found = judge(shaped_like_keras(module, "mypkg", "keras3"), golden["case"], golden["trajectory"])
    assert found.verdict is Verdict.ERROR
    assert told in found.reason
    assert "expected its state, a list of what has a `path` or `name`" in found.reason


def test_who_cannot_make_the_state_beforehand_does_not_resume() -> None:
    """Weights can be set only once there are some; a module that makes them in the first step is not asked to."""

    def method(self: Any, *given: Any) -> None:
        raise AssertionError("not asked")

    names = ("get_config", "from_config", "get_weights", "set_weights", "apply_gradients")
    case = files.parsed(*files.index()["tf2.15.legacy/sgd/resume-weights-far-from-0"])["case"]
    told = {}
    for more in ((), ("build",)):
        sgd = type("SGD", (), dict.fromkeys((*names, *more), method))
        module = types.SimpleNamespace(optimizers=types.SimpleNamespace(SGD=sgd), Variable=reference.Variable)
        told[more] = shaped_like_keras(module, "mypkg", "tf2.15.legacy").supports(case)
    assert told == {(): "no build, which makes the state that is handed over", ("build",): None}
