"""Optimizers of one's own: the classes of the goldens, and of the documentation, on the reference's bases."""

from __future__ import annotations

import doctest
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from goldenstep import spec
from goldenstep.conformance.keras_shaped import reference
from goldenstep.conformance.snippet import script
from goldenstep.conformance.verdict import Record, Verdict, judge
from goldenstep.golden import files
from goldenstep.golden.own_cases import source
from goldenstep.reference import Variable
from goldenstep.reference.editions import keras3, namespace

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("edition", spec.editions())
def test_recorded_cases_name_every_clause_of_own_optimizers(edition: str) -> None:
    recorded = [golden["case"] for golden in files.goldens(files.path_of(edition, "own"))]
    named = {clause for case in recorded for clause in case["clauses"]}
    assert named == {c["id"] for c in spec.editions()[edition]["clauses"] if c["feature"] == "own_optimizer"}


def test_the_documentation_shows_the_classes_of_the_goldens_and_what_they_give() -> None:
    path = ROOT / "docs" / "writing-an-optimizer.md"
    text = path.read_text("utf-8")
    shown = [line[4:] for line in text.splitlines() if line.startswith((">>> ", "... "))]
    for name in ("v2", "keras2", "keras3"):
        lines = [line for line in source("", name) if line]
        assert any(shown[i : i + len(lines)] == lines for i in range(len(shown))), name
    result = doctest.testfile(str(path), module_relative=False)
    assert result.attempted > 40
    assert result.failed == 0


@pytest.mark.parametrize("edition", spec.editions())
def test_a_rule_of_ones_own_can_be_wrong(edition: str) -> None:
    golden = next(files.goldens(files.path_of(edition, "own")))
    assert judge(reference(), golden["case"], golden["trajectory"]).verdict is Verdict.EXACT
    lines = [line.replace("* m + g", "* m - g") for line in golden["case"]["optimizer"]["source"]]
    wrong = {**golden["case"], "optimizer": {**golden["case"]["optimizer"], "source": lines}}
    assert wrong != golden["case"]
    assert judge(reference(), wrong, golden["trajectory"]).verdict is Verdict.DIVERGES


def test_an_implementation_without_a_base_does_not_support_it() -> None:
    case = next(files.goldens(files.path_of("keras3", "own")))["case"]
    implementation = reference()
    implementation.namespaces = {"keras3": type("names", (), {"Adam": keras3.Adam})}
    assert implementation.supports(case) == "no Optimizer"
    assert reference().supports(case) is None


def test_a_failure_is_shown_as_a_script_that_runs() -> None:
    case = next(files.goldens(files.path_of("keras3", "own")))["case"]
    text = script(reference().code or {}, case, Record(case["id"], "keras3", "own", (), (), Verdict.DIVERGES))
    shown = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    assert "array(" in shown.stdout


@pytest.mark.parametrize("edition", ["tf2.4", "tf2.15.legacy"])
def test_what_is_prepared_is_prepared_once_per_step_and_dtype(edition: str) -> None:
    base: Any = namespace(edition).Optimizer
    prepared: list[Any] = []

    class Counting(base):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__("Counting")
            self._set_hyper("learning_rate", 0.5)

        def _prepare_local(self, var_device: Any, var_dtype: Any, apply_state: Any) -> None:
            super()._prepare_local(var_device, var_dtype, apply_state)
            prepared.append(var_dtype)

        def _resource_apply_dense(self, grad: Any, var: Any, apply_state: Any) -> None:
            var.assign_sub(apply_state[var.device, var.dtype]["lr_t"] * grad)

    variables = [Variable(np.ones(2, dtype), name) for dtype, name in (("f4", "a"), ("f4", "b"), ("f8", "c"))]
    Counting().apply_gradients([(np.ones(2, v.dtype), v) for v in variables])
    assert prepared == [np.float32, np.float64]
    assert all(v.numpy().tolist() == [0.5, 0.5] for v in variables)
