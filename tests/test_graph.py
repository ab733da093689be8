"""Graph mode: where the reference has the eager bits, where a bound is stated, and who may decline it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from goldenstep import spec
from goldenstep.conformance.keras_shaped import KerasShaped, reference
from goldenstep.conformance.verdict import Verdict, judge
from goldenstep.golden import files
from goldenstep.reference import Variable
from goldenstep.reference.editions import keras3, tf2_12
from goldenstep.reference.graph import traced
from goldenstep.reference.rules import rmsprop


def golden(identity: str) -> dict[str, Any]:
    """A golden by its id."""
    return files.parsed(*files.index()[identity])


def test_every_variable_multiplies_nadams_product_from_the_second_step_on() -> None:
    def product(mode: Any, steps: int) -> float:
        optimizer = tf2_12.Nadam()
        variables = [Variable(np.ones(2, np.float32), name) for name in "ab"]
        optimizer.build(variables)
        step = mode(optimizer)
        for _ in range(steps):
            step([(np.ones(2, np.float32), variable) for variable in variables])
        return float(optimizer._u_product)

    eager = lambda optimizer: optimizer.apply_gradients  # noqa: E731
    assert product(traced, 1) == product(eager, 1)
    second = product(eager, 2) / product(eager, 1)
    assert product(traced, 2) == pytest.approx(product(eager, 1) * second**2, rel=1e-6)


def test_an_eager_nadam_is_rejected() -> None:
    known, eager = golden("tf2.12/nadam/graph-defaults"), reference()
    assert judge(eager, known["case"], known["trajectory"]).verdict is Verdict.EXACT
    eager.graph = lambda optimizer: optimizer.apply_gradients
    assert judge(eager, known["case"], known["trajectory"]).verdict is Verdict.DIVERGES


def test_a_bound_of_graph_mode_is_none_of_eager_mode() -> None:
    assert spec.bound("Adadelta", "tf2.12", "plain", "float32") is None
    assert spec.bound("Adadelta", "tf2.12", "plain", "float32", "graph") is not None


def test_an_error_beyond_the_bound_is_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    known = golden("tf2.12/rmsprop/graph-defaults")
    assert judge(reference(), known["case"], known["trajectory"]).verdict is Verdict.EXACT
    monkeypatch.setattr(rmsprop, "rsqrt", lambda x: 1 / np.sqrt(x))  # as on a processor with another table
    assert judge(reference(), known["case"], known["trajectory"]).verdict is Verdict.WITHIN
    given = known["case"]["optimizer"]
    wrong = {**given, "config": {**given["config"], "rho": 0.90001}}
    off = reference()
    run = off.run
    off.run = lambda case: run({**case, "optimizer": wrong})  # type: ignore[method-assign]
    assert judge(off, known["case"], known["trajectory"]).verdict is Verdict.DIVERGES


def test_an_implementation_without_graphs_declines_their_cases() -> None:
    known = golden("keras3/sgd/graph-defaults")
    plain = KerasShaped("plain", {"keras3": keras3}, Variable, lambda value: value)
    record = judge(plain, known["case"], known["trajectory"])
    assert (record.verdict, record.reason) == (Verdict.UNSUPPORTED, "no graph")
