"""Close is what differs only by rounding: wide enough for a port, too tight for any wrong rule."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

from goldenstep.conformance import close_schedules
from goldenstep.conformance.closeness import PORT, ToleranceError, margins, measure, ulps_of
from goldenstep.conformance.implementations import shaped_like_keras
from goldenstep.conformance.keras_shaped import reference
from goldenstep.conformance.verdict import Verdict, judge
from goldenstep.golden import files
from goldenstep.golden.codec import flat
from goldenstep.golden.compare import compare, fed
from goldenstep.reference.rules import adam

from .right import stored  # type: ignore[import-not-found]  # pytest finds the package, mypy does not
from .wrong import WRONG, Wrong, rows  # type: ignore[import-not-found]  # pytest finds the package, mypy does not

Document = dict[str, Any]


def golden(identity: str) -> tuple[Document, Document]:
    found = files.parsed(*files.index()[identity])
    return found["case"], copy.deepcopy(found["trajectory"])


@pytest.mark.parametrize("identity", ["keras3/adam/defaults-float32", "keras3/lion/defaults-float16"])
def test_the_recorded_bits_use_nothing_of_the_margin(identity: str) -> None:
    case, expected = golden(identity)
    found = measure(case, expected, reference().run(fed(case, expected)), PORT)
    assert found is not None
    assert (found.divergence, found.share) == (None, 0.0)
    assert all(error == 0 for _, error in found.updates)


def test_half_a_margin_is_close_and_one_and_a_half_is_not() -> None:
    case, expected = golden("keras3/adam/starts-at-zero")
    allowed = margins(case, expected, PORT)
    assert allowed is not None
    for part, close in ((0.5, True), (1.5, False)):
        got = reference().run(fed(case, expected))
        weights = np.array(got["steps"][3]["variables"][0])
        got["steps"][3]["variables"][0] = (weights + part * allowed[4].variables[0]).tolist()
        found = measure(case, expected, got, PORT)
        assert found is not None
        assert (found.divergence is None) is close
        assert found.share == pytest.approx(part, abs=0.2)
        if found.divergence:
            assert (found.divergence.step, found.divergence.where) == (4, "bias")


def nudged(identity: str, step: int, variable: int) -> tuple[Document, Document, Document]:
    """A case, its trajectory, and an answer of which a variable misses half a margin from some step on."""
    case, expected = golden(identity)
    allowed = margins(case, expected, PORT)
    assert allowed is not None
    got = reference().run(fed(case, expected))
    found = next(s for s in got["steps"] if s["step"] == step)
    weights = np.array(found["variables"][variable]) + 0.5 * allowed[step].variables[variable].ravel()
    found["variables"][variable] = weights.tolist()
    return case, expected, got


def test_beside_a_step_that_ends_in_an_error_others_are_close() -> None:
    """A variable comes that the optimizer was not built on; the steps before and after are judged like any others."""
    case, expected, got = nudged("keras3/sgd/variable-comes-later", 4, 0)
    found = measure(case, expected, got, PORT)
    assert found is not None
    assert 0 < found.share <= 1
    assert found.divergence is None
    del got["steps"][1]["error"]
    found = measure(case, expected, got, PORT)
    assert found is not None
    assert found.divergence is not None
    assert (found.divergence.step, found.divergence.where) == (2, "error")
    assert "which rounding does not explain" in str(found)


def test_replicas_are_compared_to_the_bit() -> None:
    """What several replicas do has no margin; a port is told where it diverges, and the judge does not stumble."""
    identity = "tf2.12/sgd/replicas-not-summed-clipnorm=0.5"
    case, expected = golden(identity)
    suspect = WRONG["interaction/does-not-clip-what-others-have-summed"]
    with suspect.at_work():
        assert judge(reference(), case, expected, tolerance=PORT).verdict is Verdict.DIVERGES


def tensors(returned: Any) -> bool:
    """Has a call returned a list of arrays?"""
    return isinstance(returned, list) and any(isinstance(part, dict) and part.get("shape") for part in returned)


def test_what_a_call_returns_is_what_it_holds() -> None:
    """Weights that are close may be returned, no others."""
    identity = "tf2.4/adam/method-weights"
    case, expected = golden(identity)
    number, step = next((s["step"], s) for s in expected["steps"] if s["step"] > 1 and tensors(s.get("returned")))
    place = next(i for i, part in enumerate(step["returned"]) if part["values"] in step["state"] and part["shape"])
    held = step["state"].index(step["returned"][place]["values"])
    got = reference().run(fed(case, expected))
    found = next(s for s in got["steps"] if s["step"] == number)
    close = np.nextafter(np.array(found["state"][held], np.float32), np.float32(np.inf)).astype(float).tolist()
    found["state"][held] = close
    others = [2 * x for x in close]
    for returned, where in ((close, None), (others, "returned")):
        found["returned"][place]["values"] = returned
        judged = measure(case, expected, got, PORT)
        assert judged is not None
        assert (judged.divergence.where if judged.divergence else None) == where


def test_another_order_of_operations_is_close_and_never_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    case, expected = golden("keras3/adam/defaults-float32")

    def textbook(w, g, m, v, *, t, learning_rate, beta_1, beta_2, epsilon):  # type: ignore[no-untyped-def]
        lr, b1, b2, epsilon = (w.dtype.type(x) for x in (learning_rate, beta_1, beta_2, epsilon))
        m = b1 * m + (1 - b1) * g
        v = b2 * v + (1 - b2) * g * g
        t = int(t)
        return w - lr * (m / (1 - b1**t)) / (np.sqrt(v / (1 - b2**t)) + epsilon / np.sqrt(1 - b2**t)), m, v

    class Textbook:
        def __init__(self) -> None:
            self.name = "textbook"
            self.editions = ["keras3"]

        def supports(self, _: Document) -> None:
            return None

        def run(self, case: Document) -> Document:
            with monkeypatch.context() as patch:  # the margins are those of the reference as it should be
                patch.setitem(adam.RULES["keras3"], "plain", textbook)
                return reference().run(case)

    assert judge(Textbook(), case, expected).verdict is Verdict.DIVERGES
    record = judge(Textbook(), case, expected, tolerance=PORT)
    assert record.verdict is Verdict.CLOSE
    assert "of the margin" in record.reason


def test_a_tolerance_is_spelled_in_one_of_three_ways() -> None:
    assert [ulps_of(text) for text in ("exact", "port", "ulp:2")] == [None, PORT, 2]
    for text in ("ulp:0", "ulp:", "ulp:-1", "ulp:1.5", "1e-5", "loose"):
        with pytest.raises(ToleranceError, match="expected exact, port"):
            ulps_of(text)


def test_a_margin_is_that_of_the_variables_own_dtype() -> None:
    """Keras on torch casts the learning rate of all variables to the dtype of the first one."""
    case, expected = golden("keras3/adam/half-and-float32")
    allowed = margins(case, expected, PORT)
    assert allowed is not None
    half, single = allowed[1].variables
    assert half.max() > 100 * single.max()
    got = reference().run(fed(case, expected))
    before, after = np.array(case["variables"][1]["value"]["values"]), np.array(got["steps"][0]["variables"][1])
    got["steps"][0]["variables"][1] = (before + (after - before) * 1.003).tolist()
    found = measure(case, expected, got, PORT)
    assert found is not None
    assert found.divergence is not None
    assert found.divergence.where == "bias"


ROUNDED_ELSEWHERE = [
    "adadelta/deltas-from-the-left",
    "adafactor/halves-averaged-in-float16",
    "adagrad/quotient-first",
    "adagrad/reciprocal-root",
    "adam/amsgrad-quotient-first",
    "adam/corrections-divided-first",
    "adam/fused-multiply-add",
    "adam/fused-squares",
    "adam/fused-step",
    "adam/halves-in-float32",
    "adam/learning-rate-divided-first",
    "adam/root-of-the-quotient",
    "adam/squares-multiplied-last",
    "adamax/kernel-order",
    "lamb/norm-in-float64",
    "lamb/quotient-of-roots",
    "lamb/squares-by-product",
    "muon/never-transposed",
    "muon/products-rounded",
    "rmsprop/quotient-first",
    "schedulefree/average-by-difference",
    "sgd/difference-first",
    "sgd/fused",
    "subtle/muon-square-is-transposed",
]


def share_of(identity: str, suspect: Wrong) -> float:
    """The largest error of a wrong implementation in a case, as a share of its margin."""
    case, expected = golden(identity)
    with suspect.at_work():
        got = reference().run(fed(case, expected))
    found = measure(case, expected, got, PORT)
    assert found is not None
    return found.share


@pytest.mark.parametrize("identity", ROUNDED_ELSEWHERE)
def test_what_only_rounds_elsewhere_is_close(identity: str) -> None:
    """They compute the same rule in another order; the goldens reject them to the bit, and closeness does not."""
    assert 0 < share_of(rows()[identity][0], WRONG[identity]) <= 1


NOTHING_OF_FTRL = [w for w in WRONG.values() if w.id.startswith("ftrl/") and w.editions[-1] == "keras3"]


@pytest.mark.parametrize("suspect", NOTHING_OF_FTRL, ids=lambda w: w.id)
def test_no_wrong_ftrl_is_close(suspect: Wrong) -> None:
    """The case that rejects it to the bit is enough, but where only an overflow shows it."""
    assert share_of(rows()[suspect.id][0], suspect) > 1


def test_the_epsilon_of_muon_is_below_the_margin() -> None:
    """It takes no float64, so its margins are those of float32: an epsilon under the root passes, none does not."""
    assert 0 < share_of("keras3/muon/global_clipnorm=0.5", WRONG["muon/epsilon-under-the-root"]) <= 1
    assert share_of("keras3/muon/gradient-tiny", WRONG["muon/no-epsilon"]) > 1


@pytest.mark.parametrize("suspect", [w for w in WRONG.values() if w.id.startswith("adam/epsilon")], ids=lambda w: w.id)
def test_an_epsilon_that_is_another_one_is_not_close(suspect: Wrong) -> None:
    """Nothing is nearer to Adam than an Adam with another epsilon."""
    cases = (
        rows()[suspect.id][0],
        "keras3/adam/starts-at-zero",
        "keras3/adam/epsilon=0.1",
        "keras3/adam/amsgrad+starts-at-zero",
    )
    assert max(share_of(case, suspect) for case in cases) > 1


@pytest.mark.parametrize(
    "identity",
    [
        "keras3/adagrad/initial_accumulator_value=0.0+faint-float16",
        "keras3/adam/clipnorm=0.5-float16",
        "keras3/nadam/variables-of-two-dtypes",
        "keras3/nadam/half-and-float32",
        "keras3/rmsprop/centered+gradient-huge",
        "keras3/rmsprop/centered+momentum=0.9+gradient-huge",
        "keras3/rmsprop/learning_rate=0.1+rho=0.0+momentum=0.9+epsilon=0.01+centered-float32",
    ],
)
def test_float64_inside_is_close_where_slots_are_rounded_as_they_are_stored(
    identity: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And a step that is one per cent too long is not, or a quarter where a product of float16 moves a float32."""
    case, expected = golden(identity)
    share = 0.25 if "half" in identity else 0.01
    implementation = shaped_like_keras(stored, "stored", "keras3")
    assert judge(implementation, case, expected, tolerance=PORT).verdict is Verdict.CLOSE
    right = stored.Variable.assign

    def too_far(variable: Any, value: Any) -> Any:
        longer = value if "/" in variable.path else value + share * (value - variable.read())
        return right(variable, longer)

    monkeypatch.setattr(stored.Variable, "assign", too_far)
    assert judge(implementation, case, expected, tolerance=PORT).verdict is Verdict.DIVERGES


def test_a_run_that_goes_on_with_another_optimizer_has_margins() -> None:
    """Nadam's product has another name where the state is loaded into an optimizer that has made no step."""
    for identity in ("keras3/resume/nadam-config-before-the-first-step", "keras3/resume/nadam-weights"):
        case, expected = golden(identity)
        allowed = margins(case, expected, PORT)
        assert allowed is not None
        assert set(allowed) <= {step["step"] for step in expected["steps"]}
        assert allowed


@pytest.mark.parametrize(
    "identity", ["keras3/nadam/graph-defaults", "keras3/resume/nadam-weights-before-the-first-step"]
)
def test_nadam_has_margins_where_its_product_has_another_name(identity: str) -> None:
    """The product of momenta is a variable by itself, numbered by what was made before it."""
    golden = files.parsed(*files.index()[identity])
    assert margins(golden["case"], golden["trajectory"], PORT)


@pytest.mark.parametrize("name", ["learning_rate-is-a-function", "schedule-exponential"])
def test_a_bound_that_asks_for_the_rate_finds_one_that_varies(name: str) -> None:
    """FTRL's terms are divided by it: a weight that is far off diverges, and the judge has an answer."""
    golden = files.parsed(*files.index()[f"tf2.4/ftrl/{name}"])
    got = copy.deepcopy(golden["trajectory"])
    got["steps"][-1]["variables"][0][0] *= 1.5
    divergence = compare(golden["case"], golden["trajectory"], got).divergence
    assert divergence is not None
    assert divergence.step == got["steps"][-1]["step"]


@pytest.mark.parametrize(
    ("identity", "index", "factor", "close"),
    [
        ("cosinedecay/alpha=0.1", 2, 1 + 2.0**-22, True),
        ("cosinedecay/alpha=0.1", 2, 1 + 2.0**-18, False),
        ("exponentialdecay/decay_rate=0.96", 2, 1 + 2.0**-22, True),
        ("piecewiseconstantdecay/values=[3,2,1]", 0, 2, False),
    ],
)
def test_a_schedule_is_close_if_it_is_off_by_rounding_only(
    identity: str, index: int, factor: float, close: bool
) -> None:
    """Whole numbers are never; where nothing but numbers may differ, the value that does is named."""
    case, recorded = golden(f"keras3/schedules/{identity}")
    got = copy.deepcopy(recorded)
    values = got["values"][0]["values"]
    values[index] = flat(np.asarray(values[index] * factor, got["values"][0]["dtype"]))[0]
    divergence, share = close_schedules.measure(case, recorded, got, PORT) or (None, None)
    assert share is not None
    assert share > 0
    assert (divergence is None) is close
    if divergence:
        assert str(case["steps"]["values"][index]) in divergence.where
