"""`goldenstep compare`: equal, equal under a mapping, or different, and the comparison in the report."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from goldenstep.conformance.command_line import main
from goldenstep.conformance.side_by_side import spelled_out

PACKAGE = """
import numpy as np
from goldenstep.reference import IndexedSlices, Variable
from goldenstep.reference.editions import keras3
GOLDENSTEP_EDITIONS = ["keras3"]
clear_session, constraints = keras3.clear_session, keras3.constraints
schedules = keras3.schedules

class Lion(keras3.Lion):
    def __init__(self, learning_rate=0.001, beta_1={beta_1}, **others):
        super().__init__(learning_rate=learning_rate, beta_1=beta_1, **others)

    def apply_gradients(self, pairs):
        return super().apply_gradients([(signed(g), v) for g, v in pairs])

def signed(gradient):
    if isinstance(gradient, IndexedSlices):
        return IndexedSlices(gradient.values * {sign}, gradient.indices, gradient.dense_shape)
    return gradient if gradient is None else gradient * {sign}
"""


def compared(folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, beta_1: float, sign: str) -> tuple[int, str]:
    (folder / f"{name}.py").write_text(PACKAGE.format(beta_1=beta_1, sign=sign))
    monkeypatch.chdir(folder)
    monkeypatch.syspath_prepend(str(folder))
    status = main(["compare", "reference", name, "--optimizer", "Lion", "-o", "comparison.json"])
    return status, json.loads((folder / "comparison.json").read_text())["verdict"]


@pytest.mark.parametrize(
    ("name", "beta_1", "sign", "begins"),
    [
        (
            "lion_other_default",
            0.5,
            "1",
            "equal under this mapping: beta_1=0.9 given to both; without it different in ",
        ),
        ("lion_backwards", 0.9, "-1", "different in "),
    ],
)
def test_the_answer_is_a_sentence(
    name: str, beta_1: float, sign: str, begins: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    status, verdict = compared(tmp_path, monkeypatch, name, beta_1, sign)
    assert status == 1
    assert verdict.startswith(begins), verdict
    assert ("the weights are apart, relative to the largest, by" in verdict) == (name == "lion_backwards")


def test_equal_is_equal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["compare", "keras3", "reference@keras3", "--optimizer", "Lion", "-o", "equal.json"]) == 0
    assert json.loads((tmp_path / "equal.json").read_text())["verdict"] == "equal to the bit"


def test_a_comparison_goes_into_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["compare", "tf2.15", "keras3", "--optimizer", "Lion", "-o", "comparison.json"]) == 1
    assert main(["report", "comparison.json", "-o", "page.html"]) == 0
    page = (tmp_path / "page.html").read_text()
    comparison = json.loads((tmp_path / "comparison.json").read_text())
    assert "Lion: reference as tf2.15, and reference as keras3" in page
    assert any(len(case["curve"]) > 1 for case in comparison["cases"])
    assert "data-curve=" in page


def test_an_edition_may_stand_alone() -> None:
    assert spelled_out("TF2.4") == ("reference", "tf2.4")
    assert spelled_out("keras@keras3") == ("keras", "keras3")
    assert spelled_out("cmd: node me@home.mjs") == ("cmd: node me@home.mjs", "")
