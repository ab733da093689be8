"""Methods, attributes and `minimize`: the specification lists them, the goldens hold them, the judge compares them."""

from __future__ import annotations

import copy
import inspect
import logging
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from goldenstep import spec
from goldenstep.conformance.calls import events_of
from goldenstep.conformance.keras_shaped import reference
from goldenstep.conformance.snippet import script
from goldenstep.conformance.verdict import Record, Verdict, judge
from goldenstep.golden import files
from goldenstep.golden.compare import compare
from goldenstep.reference import Variable
from goldenstep.reference.editions import keras3, namespace, tf2_4, tf2_12, tf2_15
from goldenstep.reference.tape import Tape, read, total

Document = dict[str, Any]


def goldens(edition: str) -> list[Document]:
    """The goldens of an edition's methods."""
    return list(files.goldens(files.path_of(edition, "methods")))


@pytest.mark.parametrize("edition", spec.editions())
def test_every_method_is_there_with_its_arguments_and_is_called(edition: str) -> None:
    events = [event for golden in goldens(edition) for event in events_of(golden["case"])]
    called = {event["call"]["method"] for event in events if "call" in event} | {e["get"] for e in events if "get" in e}
    for name, document in spec.editions()[edition]["methods"].items():
        assert name in called
        found = getattr(namespace(edition).Adam, name)
        if "arguments" not in document:
            assert isinstance(found, property)
        else:
            arguments = [p.name for p in inspect.signature(found).parameters.values() if p.kind is not p.VAR_KEYWORD]
            assert arguments == ["self", *document["arguments"]]


@pytest.mark.parametrize("edition", spec.editions())
def test_every_topic_of_a_clause_has_a_case_that_names_it(edition: str) -> None:
    named = {clause for golden in goldens(edition) for clause in golden["case"]["clauses"]}
    of_methods = {clause["id"] for clause in spec.editions()[edition]["clauses"] if "topics" in clause}
    assert {identity for identity in of_methods if "OWN" not in identity} <= named
    assert all(golden["case"]["clauses"] for golden in goldens(edition))


def one(identity: str) -> Document:
    """A copy of one golden, to be spoiled."""
    edition = identity.partition("/")[0]
    return copy.deepcopy(next(g for g in goldens(edition) if g["case"]["id"] == identity))


def another_number(steps: list[Document]) -> None:
    steps[2]["returned"] = 0.125


def a_copy_in_the_place_of_the_variable(steps: list[Document]) -> None:
    steps[0]["returned"] = {"dtype": "float32", "shape": [], "values": [0.1]}


def nothing(steps: list[Document]) -> None:
    del steps[1]["returned"]


def no_error(steps: list[Document]) -> None:
    del next(step for step in steps if "error" in step)["error"]


@pytest.mark.parametrize("spoil", [another_number, a_copy_in_the_place_of_the_variable, nothing, no_error])
def test_another_answer_diverges(spoil: Any) -> None:
    golden = one("keras3/adam/method-attributes-read")
    assert judge(reference(), golden["case"], golden["trajectory"]).verdict is Verdict.EXACT
    spoil(golden["trajectory"]["steps"])
    assert judge(reference(), golden["case"], golden["trajectory"]).verdict is Verdict.DIVERGES


def test_a_missing_warning_diverges() -> None:
    golden = one("tf2.12/sgd/method-apply_gradients")
    got = copy.deepcopy(golden["trajectory"])
    step = next(step for step in got["steps"] if "warned" in step)
    step["warned"][0]["message"] = "in other words"
    assert compare(golden["case"], golden["trajectory"], got).divergence is None
    del step["warned"]
    assert "warnings" in str(compare(golden["case"], golden["trajectory"], got).divergence)


def test_an_implementation_without_a_method_does_not_support_it() -> None:
    class Bare:
        def __init__(self, **config: Any) -> None: ...

    implementation = reference()
    implementation.namespaces = {"keras3": type("names", (), {"Adam": Bare})}
    case = one("keras3/adam/method-assign")["case"]
    assert implementation.supports(case) == "no method assign"
    assert reference().supports(case) is None
    implementation = reference()
    implementation.losses = None
    assert implementation.supports(one("tf2.4/adam/method-minimize-a-value")["case"]) == "no tape"


@pytest.mark.parametrize(
    "identity", ["tf2.4/adam/method-minimize-a-value", "keras3/sgd/method-add_optimizer_variables"]
)
def test_a_failure_is_shown_as_a_script_that_runs(identity: str) -> None:
    case = one(identity)["case"]
    record = Record(identity, case["edition"], "Adam", (), (), Verdict.DIVERGES)
    text = script(reference().code or {}, case, record)
    shown = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    assert "array(" in shown.stdout
    assert "not defined" not in shown.stdout


# ---- the reference by itself -------------------------------------------------------------------------------------


def test_hyperparameters_are_variables_that_hold_from_the_next_step_on() -> None:
    w = Variable(np.ones(2, np.float32), "kernel")
    optimizer = tf2_4.SGD(learning_rate=0.5)
    optimizer.lr.assign(0.25)
    optimizer.apply_gradients([(np.ones(2, np.float32), w)])
    assert w.numpy().tolist() == [0.75, 0.75]
    assert float(optimizer.learning_rate) == 0.25
    with pytest.raises(AttributeError, match="nothing"):
        _ = optimizer.nothing


def test_weights_carry_an_optimizer_over() -> None:
    def steps(optimizer: Any, w: Variable, count: int) -> None:
        for _ in range(count):
            optimizer.apply_gradients([(np.full(2, 0.5, np.float32), w)])

    whole, first, second = (tf2_4.Adam(learning_rate=0.1) for _ in range(3))
    w, half = (Variable(np.ones(2, np.float32), "kernel") for _ in range(2))
    steps(whole, w, 4)
    steps(first, half, 2)
    second._create_all_weights([half])
    second.set_weights(first.get_weights())
    steps(second, half, 2)
    assert np.array_equal(w.numpy(), half.numpy())


class Slopes:
    """No tape of ours: it knows one derivative."""

    def gradient(self, loss: Any, variables: Any) -> list[np.ndarray]:
        assert loss == "a value"
        return [np.full(v.shape, 2, v.dtype) for v in variables]


@pytest.mark.parametrize("module", [tf2_4, tf2_12, tf2_15])
def test_any_object_with_gradient_is_a_tape(module: Any) -> None:
    w = Variable(np.ones(2, np.float32), "kernel")
    module.SGD(learning_rate=0.25).minimize("a value", [w], tape=Slopes())
    assert w.numpy().tolist() == [0.5, 0.5]


def test_a_missing_gradient_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    a, b = Variable(np.ones(2, np.float32), "a"), Variable(np.ones(2, np.float32), "b")
    with caplog.at_level(logging.WARNING):
        tf2_12.SGD().minimize(lambda: total(read(a) ** 2), [a, b])
    assert [record.getMessage() for record in caplog.records] == [
        "Gradients do not exist for variables ['b'] when minimizing the loss."
    ]


def test_apply_without_variables_takes_those_it_was_built_on() -> None:
    w = Variable(np.ones(2, np.float32), "kernel")
    optimizer = keras3.SGD(learning_rate=0.5)
    with pytest.raises(ValueError, match="built"):
        optimizer.apply([np.ones(2, np.float32)])
    optimizer.build([w])
    optimizer.apply([np.ones(2, np.float32)])
    assert w.numpy().tolist() == [0.5, 0.5]


# ---- the tape ----------------------------------------------------------------------------------------------------

LOSSES = {
    "linear": lambda a, b: total(read(a) * np.array([1.0, -2.0])),
    "quadratic": lambda a, b: total(3 * read(a) ** 2 + read(a) * np.array([0.5, 4.0])),
    "of both": lambda a, b: total(read(a) * read(b)) + total(read(b) ** 3),
    "difference": lambda a, b: total((read(a) - read(b)) ** 2),
    "broadcast": lambda a, b: total(read(a) * total(read(b))) - total(read(b)),
    "twice": lambda a, b: total(read(a) * read(a) * read(b)),
}


@pytest.mark.parametrize("name", LOSSES)
def test_gradients_are_the_slopes_of_finite_differences(name: str) -> None:
    variables = Variable(np.array([0.3, -1.2]), "a"), Variable(np.array([2.0, 0.7]), "b")
    with Tape() as tape:
        loss = LOSSES[name](*variables)
    for variable, gradient in zip(variables, tape.gradient(loss, variables), strict=True):
        start, step = variable.numpy(), 1e-6
        slopes = []
        for i in range(2):
            sides = []
            for sign in (1, -1):
                variable.assign(start + sign * step * np.eye(2)[i])
                sides.append(float(LOSSES[name](*variables)))
            slopes.append((sides[0] - sides[1]) / (2 * step))
        variable.assign(start)
        assert (np.zeros(2) if gradient is None else gradient) == pytest.approx(slopes, abs=1e-7)


def test_a_tape_knows_what_it_recorded_and_only_once() -> None:
    a = Variable(np.ones(2), "a")
    with Tape() as tape:
        inside = total(read(a))
    outside = total(read(a))
    with Tape() as other:
        pass
    assert other.gradient(outside, [a]) == [None]
    assert [None if g is None else g.tolist() for g in tape.gradient(inside, [a])] == [[1, 1]]
    with pytest.raises(RuntimeError, match="has been used"):
        tape.gradient(inside, [a])
    with pytest.raises(RuntimeError, match="recorded nothing"):
        Tape().gradient(inside, [a])


def test_a_variable_that_its_gradients_overwrite_gets_no_variable_of_its_own() -> None:
    """keras 3.15.1 makes ['sgd/w_like', None] of these two: docstring of add_optimizer_variables."""
    plain, overwritten = Variable(np.zeros(2, np.float32), "w"), Variable(np.zeros(3, np.float32), "b")
    overwritten.overwrite_with_gradient = True
    keras3.clear_session()
    optimizer = keras3.SGD()
    optimizer.build([plain, overwritten])
    made, none = optimizer.add_optimizer_variables([plain, overwritten], "like")
    assert (made.path, none) == ("sgd/w_like", None)
    assert len(optimizer.variables) == 3
