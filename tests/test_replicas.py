"""Several replicas: what the reference does with their gradients, and how an implementation joins in."""

from __future__ import annotations

import doctest
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from goldenstep.conformance.keras_shaped import KerasShaped, reference
from goldenstep.conformance.verdict import Verdict, judge
from goldenstep.golden import files
from goldenstep.reference import IndexedSlices, Variable
from goldenstep.reference.editions import keras3, namespaces, tf2_4, tf2_12
from goldenstep.reference.replicas import Replicas, alone, summed


def two(optimizer: Any) -> Replicas:
    """Two replicas with one variable, 0 0 0."""
    return Replicas(2, lambda: (optimizer(), [Variable(np.zeros(3, np.float32), "kernel")]))


G = np.array([1, 2, 3], np.float32)


@pytest.mark.parametrize("edition", namespaces())
def test_gradients_are_summed_not_averaged(edition: str) -> None:
    replicas = two(lambda: namespaces()[edition].SGD(learning_rate=1.0))
    replicas.apply([[G], [10 * G]])
    for (variable,) in replicas.variables:
        assert variable.numpy().tolist() == [-11, -22, -33]


def test_keras3_clips_each_replica_and_the_others_the_sum() -> None:
    for names, length in ((keras3, 2.0), (tf2_12, 1.0), (tf2_4, 1.0)):
        replicas = two(lambda names=names: names.SGD(learning_rate=1.0, clipnorm=1.0))
        replicas.apply([[G], [10 * G]])
        assert np.linalg.norm(replicas.variables[0][0].numpy()) == pytest.approx(length, rel=1e-6)


def test_copies_part_when_gradients_are_not_summed() -> None:
    replicas = two(lambda: tf2_12.SGD(learning_rate=1.0))
    replicas.apply([[G], [10 * G]], skip_gradients_aggregation=True)
    assert [v.numpy().tolist() for (v,) in replicas.variables] == [[-1, -2, -3], [-10, -20, -30]]
    with pytest.raises(TypeError):
        two(keras3.SGD).apply([[G], [G]], skip_gradients_aggregation=True)


def test_replicas_that_lack_different_gradients_are_refused() -> None:
    replicas = Replicas(2, lambda: (keras3.SGD(), [Variable(np.zeros(3, np.float32), n) for n in "ab"]))
    refused = pytest.raises(AssertionError, match="same variables on every replica")
    with pytest.warns(UserWarning, match="Gradients do not exist"), refused:
        replicas.apply([[G, G], [G, None]])


def test_a_sum_of_sparse_gradients_keeps_its_duplicates_unless_one_is_an_array() -> None:
    rows = IndexedSlices(np.ones((2, 3), np.float32), np.array([1, 1]), (2, 3))
    both = summed([rows, rows])
    assert isinstance(both, IndexedSlices)
    assert both.indices.tolist() == [1, 1, 1, 1]
    array = summed([rows, np.ones((2, 3), np.float32)])
    assert isinstance(array, np.ndarray)
    assert array.tolist() == [[1, 1, 1], [3, 3, 3]]


def test_transformers_come_after_the_aggregator_and_exclude_clipping() -> None:
    seen: list[str] = []

    def noting(name: str) -> Any:
        def note(pairs: Any) -> Any:
            seen.append(name)
            return pairs

        return note

    optimizer = tf2_4.SGD(gradient_aggregator=noting("sum"), gradient_transformers=[noting("one"), noting("two")])
    optimizer.apply_gradients([(G, Variable(np.zeros(3, np.float32)))])
    assert seen == ["sum", "one", "two"]
    with pytest.raises(ValueError, match="`clipnorm` cannot be set"):
        tf2_4.SGD(gradient_transformers=[noting("one")], clipnorm=1.0)


def test_a_step_that_meets_twice_is_a_mistake() -> None:
    def step() -> Any:
        _ = yield []
        _ = yield []

    with pytest.raises(AssertionError, match="once"):
        alone(step())


def golden(identity: str) -> dict[str, Any]:
    """A golden by its id."""
    return files.parsed(*files.index()[identity])


def test_an_implementation_without_replicas_declines_their_cases() -> None:
    known = golden("keras3/sgd/replicas")
    plain = KerasShaped("plain", {"keras3": keras3}, Variable, lambda value: value)
    record = judge(plain, known["case"], known["trajectory"])
    assert (record.verdict, record.reason) == (Verdict.UNSUPPORTED, "no Replicas")


@pytest.mark.parametrize("identity", ["keras3/sgd/replicas", "tf2.12/sgd/replicas-not-summed"])
def test_a_mean_and_copies_that_are_kept_alike_are_rejected(identity: str) -> None:
    class Mean(Replicas):
        def apply(self, gradients: Any, **arguments: bool) -> None:
            mean = [sum(own) / len(own) ** 2 for own in zip(*gradients, strict=True)]
            super().apply([mean for _ in gradients], **arguments)

    known, wrong = golden(identity), reference()
    wrong.replicas = Mean
    record = judge(wrong, known["case"], known["trajectory"])
    assert record.verdict is Verdict.DIVERGES
    assert judge(reference(), known["case"], known["trajectory"]).verdict is Verdict.EXACT


def test_the_copies_of_every_replica_are_compared() -> None:
    known = golden("keras3/sgd/replicas")
    trajectory = reference().run(known["case"])
    trajectory["steps"][0]["variables"][-1][0] = 7.0

    class Replay:
        name, editions = "replay", ["keras3"]

        def supports(self, case: Any) -> None:
            return None

        def run(self, case: Any) -> Any:
            return trajectory

    assert judge(Replay(), known["case"], known["trajectory"]).verdict is Verdict.DIVERGES


def test_the_page_shows_what_happens() -> None:
    page = Path(__file__).parent.parent / "docs" / "replicas.md"
    failed, tried = doctest.testfile(str(page), module_relative=False)
    assert (failed, tried > 0) == (0, True)
