"""Adapters: their mappings name what exists, a port shows what it declares, and the page is made of the results."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from goldenstep import adapters, spec
from goldenstep.adapters import matrix, port
from goldenstep.adapters.port import Port, Training, keras_names, mapping
from goldenstep.conformance.exposure import PART
from goldenstep.conformance.known_failures import UNEXPLAINED, read
from goldenstep.conformance.verdict import Verdict, judge
from goldenstep.golden import files

Document = dict[str, Any]
NAMES = adapters.names()
FOLDER = Path(port.__file__).parent
LISTED = sorted(path.parent.name for path in FOLDER.glob("*/known-failures.toml"))


def golden(identity: str) -> tuple[Document, Document]:
    found = files.parsed(*files.index()[identity])
    return found["case"], found["trajectory"]


@pytest.mark.parametrize("name", NAMES)
def test_a_mapping_names_what_the_edition_has(name: str) -> None:
    document = mapping(name)
    for optimizer, mapped in document["optimizers"].items():
        known = {argument["name"] for argument in spec.arguments(optimizer, document["edition"])}
        named = {*keras_names(mapped), *mapped.get("own_default", ()), *mapped.get("only", ())}
        assert named <= known, optimizer
        assert {*mapped["state"], *mapped.get("restored", ())} <= set(spec.optimizers()[optimizer]["slots"]), optimizer
        assert set(mapped.get("when_none", ())) <= set(mapped["arguments"]), optimizer


def test_the_schema_is_closed() -> None:
    document = mapping("torch")
    with pytest.raises(spec.SpecificationError, match="repairs"):
        spec.validate({**document, "repairs": True}, "adapter", "test")
    adam = {**document["optimizers"]["Adam"], "epsilon_times": 0.03}
    with pytest.raises(spec.SpecificationError, match="epsilon_times"):
        spec.validate({**document, "optimizers": {"Adam": adam}}, "adapter", "test")


@pytest.mark.parametrize("name", LISTED)
def test_every_known_failure_is_a_case_and_has_a_reason(name: str) -> None:
    path = FOLDER / name / "known-failures.toml"
    known = read(path, list(files.index()))
    assert known.entries
    assert not [entry for entry in known.entries if entry.reason.startswith(UNEXPLAINED)]


def test_the_page_is_made_of_the_results() -> None:
    text = matrix.PAGE.read_text("utf-8").partition(matrix.BEGIN)[2].partition(matrix.END)[0]
    assert text.strip() == matrix.table(matrix.read())
    assert {result["implementation"] for result in matrix.read()} >= set(LISTED)


class Textbook(Training):
    """Adam as torch computes it, in numpy, with the names of torch's state."""

    def __init__(self, arguments: Document, variables: list[np.ndarray]) -> None:
        self.rate, self.betas, self.eps = arguments["lr"], arguments["betas"], arguments.get("eps", 1e-8)
        self.variables = [value.copy() for value in variables]
        self.state = [{"exp_avg": np.zeros_like(value), "exp_avg_sq": np.zeros_like(value)} for value in variables]
        self.steps = 0

    def apply(self, gradients: Sequence[np.ndarray | None]) -> None:
        self.steps += 1
        b1, b2 = self.betas
        for index, g in enumerate(gradients):
            w, state = self.variables[index], self.state[index]
            m = state["exp_avg"] = (b1 * state["exp_avg"] + (1 - b1) * g).astype(w.dtype)
            v = state["exp_avg_sq"] = (b2 * state["exp_avg_sq"] + (1 - b2) * g * g).astype(w.dtype)
            root = np.sqrt(v / (1 - b2**self.steps)) + self.eps
            self.variables[index] = (w - self.rate * m / (1 - b1**self.steps) / root).astype(w.dtype)

    def weight(self, index: int) -> np.ndarray:
        return self.variables[index]

    def assign(self, index: int, value: np.ndarray) -> None:
        self.variables[index] = value

    def slot(self, index: int, entry: str) -> np.ndarray | None:
        return self.state[index].get(entry)

    def assign_slot(self, index: int, entry: str, value: np.ndarray) -> None:
        self.state[index][entry] = value

    def set_steps(self, count: int) -> None:
        self.steps = count

    def set_learning_rate(self, value: float) -> None:
        self.rate = value


def textbook() -> Port:
    return Port("torch", "in numpy", lambda _, arguments, __, variables: Textbook(arguments, variables))


def test_a_port_is_close_and_shows_a_part_of_the_state() -> None:
    case, expected = golden("keras3/adam/shape-vector-17")
    record = judge(textbook(), case, expected, tolerance=4)
    assert (record.verdict, record.compared) == (Verdict.CLOSE, PART)
    assert judge(textbook(), case, expected).verdict is Verdict.DIVERGES


def test_its_own_epsilon_is_not_taken_for_that_of_keras() -> None:
    case, expected = golden("keras3/adam/starts-at-zero")
    record = judge(textbook(), case, expected, tolerance=4)
    assert record.verdict is Verdict.DIVERGES
    assert record.divergence is not None
    assert record.divergence.where == "bias"


def test_epsilon_is_passed_on_only_if_the_case_sets_it() -> None:
    for identity, given in (("keras3/adam/defaults-float32", False), ("keras3/adam/epsilon=0.1", True)):
        assert ("eps" in textbook().arguments(golden(identity)[0])) is given


def test_what_is_declared_may_not_be_left_out() -> None:
    class Hiding(Textbook):
        def slot(self, index: int, entry: str) -> np.ndarray | None:
            return None if entry == "exp_avg_sq" else super().slot(index, entry)

    case, expected = golden("keras3/adam/shape-vector-17")
    hiding = Port("torch", "in numpy", lambda _, arguments, __, variables: Hiding(arguments, variables))
    record = judge(hiding, case, expected, tolerance=4)
    assert record.verdict is Verdict.DIVERGES
    assert "layout" in record.reason


@pytest.mark.parametrize(
    ("identity", "why"),
    [
        ("keras3/adam/clipnorm=0.5", "no argument clipnorm"),
        ("keras3/adam/use_ema", "no ema"),
        ("keras3/lion/defaults-float32", "no Lion"),
        ("keras3/adam/set-beta_1", "beta_1 can't be set"),
        ("keras3/muon/defaults-float32", "Muon takes no array of rank 1"),
    ],
)
def test_what_a_mapping_does_not_name_is_unsupported(identity: str, why: str) -> None:
    assert textbook().supports(golden(identity)[0]) == why


def test_the_results_are_of_the_pinned_versions() -> None:
    pins = Path(__file__).parent.parent / "tox.ini"
    text = pins.read_text("utf-8")
    for result in matrix.read():
        if result["implementation"] in NAMES:
            version = result["version"].partition("+")[0]
            assert f"=={version}" in text or f"@{version}" in text, result["implementation"]
    assert json.loads((FOLDER / "results" / "torch.json").read_text("utf-8"))["counts"]["Adam"]["close"] > 0
