"""LossScaleOptimizer and MultiOptimizer: public names, signatures, what the judge makes of them, scripts that run."""

from __future__ import annotations

import contextlib
import copy
import doctest
import inspect
import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from goldenstep import spec
from goldenstep.conformance.keras_shaped import reference
from goldenstep.conformance.snippet import script
from goldenstep.conformance.verdict import Record, Verdict, judge
from goldenstep.golden import files
from goldenstep.golden.codec import flat
from goldenstep.golden.compare import Divergence, compare, fed
from goldenstep.reference import IndexedSlices, Variable
from goldenstep.reference.editions import keras3, namespace, tf2_4, tf2_12
from goldenstep.reference.wrappers import loss_scale_v2, loss_scale_v3
from goldenstep.spec import wrapper as wrapper_spec

Document = dict[str, Any]
WRAPPED = [(edition, wrapper) for edition in spec.editions() for wrapper in wrapper_spec.available(edition)]


def golden(identity: str) -> Document:
    """A golden by its id."""
    return files.parsed(*files.index()[identity])


def public(edition: str, wrapper: str) -> Any:
    """The class that the edition shows; where two share a name, the one for the inner optimizers of the edition."""
    mixed = namespace(edition.removesuffix(".legacy")).mixed_precision
    if edition == "keras3":
        return getattr(keras3, wrapper)
    if wrapper == "LossScaleOptimizerV1":
        return mixed.experimental.LossScaleOptimizer
    inner = namespace(edition).SGD()
    return (
        mixed.LossScaleOptimizer if inspect.isclass(mixed.LossScaleOptimizer) else type(mixed.LossScaleOptimizer(inner))
    )


@pytest.mark.parametrize(("edition", "wrapper"), WRAPPED)
def test_signatures_are_those_of_the_specification(edition: str, wrapper: str) -> None:
    parameters = inspect.signature(public(edition, wrapper)).parameters.values()
    arguments = wrapper_spec.arguments(wrapper, edition)
    assert [p.name for p in parameters] == [a["name"].removeprefix("**") for a in arguments]
    defaults = {p.name: p.default for p in parameters if p.default is not p.empty}
    assert defaults == {a["name"]: a["default"] for a in arguments if "default" in a}


def test_keras_3_divides_and_tf_does_not() -> None:
    w, v = (Variable(np.ones(2, np.float32), "kernel") for _ in range(2))
    ours = keras3.LossScaleOptimizer(keras3.SGD(1.0), initial_scale=8.0, dynamic_growth_steps=2)
    theirs = tf2_4.mixed_precision.LossScaleOptimizer(tf2_4.SGD(1.0), initial_scale=8.0, dynamic_growth_steps=2)
    gradient = np.full(2, 4.0, np.float32)
    ours.apply_gradients([(gradient, w)])
    theirs.apply_gradients([(g, v) for g in theirs.get_unscaled_gradients([gradient])])
    assert w.numpy() == pytest.approx([0.5, 0.5])
    assert v.numpy() == pytest.approx([0.5, 0.5])
    ours.apply_gradients([(gradient * np.inf, w)])
    theirs.apply_gradients([(gradient * np.inf, v)])
    assert (int(ours.iterations), int(theirs.iterations)) == (1, 2)
    assert (float(ours.dynamic_scale), float(theirs.loss_scale)) == (4.0, 4.0)


def test_the_inner_optimizer_chooses_the_wrapper_in_tf2_12() -> None:
    wrap = tf2_12.mixed_precision.LossScaleOptimizer
    assert isinstance(wrap(tf2_12.SGD()), loss_scale_v3.LossScaleOptimizer212)
    assert isinstance(wrap(tf2_12.legacy.SGD()), loss_scale_v2.LossScaleOptimizer212)
    with pytest.raises(TypeError, match="inner_optimizer"):
        wrap(keras3.LossScaleOptimizer)


def test_multi_optimizer_hands_out_variables() -> None:
    kernel, bias = (Variable(np.ones(2, np.float32), name) for name in ("kernel", "bias"))
    chosen = keras3.OptimizerMap(keras3.SGD(1.0), {"ker.*": keras3.SGD(0.5)})
    optimizer = keras3.MultiOptimizer(chosen)
    optimizer.apply_gradients([(np.ones(2, np.float32), kernel), (np.ones(2, np.float32), bias)])
    assert (kernel.numpy()[0], bias.numpy()[0]) == (0.5, 0.0)
    assert [float(inner.learning_rate) for inner in optimizer.optimizers] == [0.5, 1.0]
    del chosen["ker.*"]
    assert (len(chosen), list(chosen), chosen["kernel"]) == (0, [], chosen.default_optimizer)


def test_examples_of_the_page_give_what_they_show() -> None:
    page = Path(__file__).parent.parent / "docs" / "wrappers.md"
    result = doctest.testfile(str(page), module_relative=False)
    assert (result.failed, result.attempted) == (0, 8)


def test_rows_are_unscaled_as_rows() -> None:
    optimizer = tf2_4.mixed_precision.LossScaleOptimizer(tf2_4.SGD(), initial_scale=4.0)
    (rows,) = optimizer.get_unscaled_gradients([IndexedSlices(np.ones((1, 2), np.float32), [1], (2, 2))])
    assert isinstance(rows, IndexedSlices)
    assert (rows.values.tolist(), rows.indices.tolist()) == ([[0.25, 0.25]], [1])


@pytest.mark.parametrize(("edition", "wrapper"), WRAPPED)
def test_the_release_refused_with_the_stated_error(edition: str, wrapper: str) -> None:
    """Each refusal of the specification has a golden, whose error is the stated one."""
    found = [
        g["trajectory"]
        for g in files.goldens(files.path_of(edition, wrapper))
        if re.match("refused-|fails-at-the-first-step-(?!initial|dynamic)", g["case"]["id"].split("/")[2])
    ]
    refusals = wrapper_spec.refusals(wrapper, edition)
    assert len(found) == len(refusals) > 0
    for trajectory, refusal in zip(found, refusals, strict=True):
        error = trajectory.get("error") or trajectory["steps"][0]["error"]
        assert (error["stage"], error["type"]) == (refusal["stage"], refusal["type"])
        assert re.search(refusal["pattern"], error["message"])


@pytest.mark.parametrize(("edition", "wrapper"), WRAPPED)
def test_own_state_is_that_of_the_specification(edition: str, wrapper: str) -> None:
    case = "map" if wrapper == "MultiOptimizer" else "grows-after-2"
    layout = golden(f"{edition}/{wrapper.lower()}/{case}")["trajectory"]["layout"]
    own = [(entry["name"], entry["dtype"]) for entry in wrapper_spec.state(wrapper, edition)]
    shown = [(entry["name"].rpartition("/")[2], entry["dtype"]) for entry in layout]
    assert own in (shown[: len(own)], shown[-len(own) :])


# ---- the judge ---------------------------------------------------------------------------------------------

LOADED = [f"{edition}/lossscaleoptimizer/around-adam" for edition in spec.editions()]


@pytest.mark.parametrize("identity", LOADED)
def test_a_run_goes_on_from_a_recorded_state(identity: str) -> None:
    """The scale and its counter are loaded like the rest, so that bounds can be judged step by step."""
    case, trajectory = golden(identity)["case"], golden(identity)["trajectory"]
    assert compare(case, trajectory, reference().run(fed(case, trajectory))).divergence is None
    spoiled = copy.deepcopy(trajectory)
    for step in spoiled["steps"][:2]:
        step["state"] = [[2.0] if values == [16.0] else values for values in step["state"]]
    assert spoiled != trajectory
    assert compare(case, trajectory, reference().run(fed(case, spoiled))).divergence is not None


def test_another_scale_counter_or_result_diverges() -> None:
    ours = {"tf2.12/lossscaleoptimizer/grows-after-2": [-1, -2], "keras3/lossscaleoptimizer/get": [2, 3]}
    for identity, places in ours.items():
        case, trajectory = golden(identity)["case"], golden(identity)["trajectory"]
        assert judge(reference(), case, trajectory).verdict is Verdict.EXACT
        for place in places:
            spoiled = copy.deepcopy(trajectory)
            spoiled["steps"][-1]["state"][place] = [7]
            assert judge(reference(), case, spoiled).verdict is Verdict.DIVERGES
    case = golden("tf2.12/lossscaleoptimizer/unscale+initial_scale=3.0")
    spoiled = copy.deepcopy(case["trajectory"])
    spoiled["steps"][0]["returned"][0]["values"][0] = 0.5
    record = judge(reference(), case["case"], spoiled)
    assert (record.verdict, record.divergence and record.divergence.where) == (Verdict.DIVERGES, "returned")


@pytest.mark.parametrize("missing", ["LossScaleOptimizer", "MultiOptimizer", "OptimizerMap", "Adam"])
def test_what_an_implementation_lacks_is_unsupported(missing: str) -> None:
    """It is no failure to have no wrapper, or not what it wraps."""
    implementation = reference()
    names = {
        name: getattr(keras3, name) for name in ("SGD", "Adam", "LossScaleOptimizer", "MultiOptimizer", "OptimizerMap")
    }
    del names[missing]
    implementation.namespaces["keras3"] = type("Lacking", (), names)
    implementation.mixed_precision = {}
    file = "lossscaleoptimizer/around-adam" if missing == "LossScaleOptimizer" else "multioptimizer/map"
    case = golden(f"keras3/{file}")
    record = judge(implementation, case["case"], case["trajectory"])
    assert (record.verdict, record.reason) == (Verdict.UNSUPPORTED, f"no {missing}")


SCRIPTS = [
    *(f"{edition}/lossscaleoptimizer/{name}" for edition in spec.editions() for name in ("grows-after-2", "rows")),
    *(f"{edition}/lossscaleoptimizer/combined-sgd" for edition in spec.editions()),
    "tf2.4/lossscaleoptimizerv1/loss_scale=of-3-after-1",
    "tf2.4/lossscaleoptimizerv1/loss_scale=8",
    "tf2.4/lossscaleoptimizer/minimize-a-function",
    "tf2.9/lossscaleoptimizer/minimize-a-value-on-a-tape",
    "tf2.4/lossscaleoptimizer/unscale+initial_scale=3.0",
    "keras3/lossscaleoptimizer/get",
    "keras3/lossscaleoptimizer/nested",
    "keras3/lossscaleoptimizer/wrapped-before",
    "keras3/lossscaleoptimizer/around-a-multioptimizer",
    "keras3/multioptimizer/map",
    "keras3/multioptimizer/map-by-items",
    "keras3/multioptimizer/shared",
    "keras3/multioptimizer/shared-with-default",
    "keras3/multioptimizer/function",
]


@pytest.mark.parametrize("identity", SCRIPTS)
def test_the_script_of_a_failure_does_what_the_case_does(identity: str) -> None:
    case, trajectory = golden(identity)["case"], golden(identity)["trajectory"]
    last = trajectory["steps"][-1]
    divergence = Divergence(last["step"], "", None, None, None, None)
    record = Record(case["id"], case["edition"], "", (), (), Verdict.DIVERGES, divergence=divergence)
    code = reference().code
    assert code is not None
    text = script(code, case, record)
    keras3.clear_session()
    names: Document = {}
    with contextlib.redirect_stdout(io.StringIO()):
        exec(compile(text, identity, "exec"), names)
    assert [flat(variable.numpy()) for variable in names["variables"]] == last["variables"]
