"""The learning-rate schedules: specification, reference, judge, and the goldens of the releases."""

from __future__ import annotations

import copy
import inspect
import re
import subprocess
import sys
import types
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from goldenstep import spec
from goldenstep.conformance.keras_shaped import KerasShaped, reference
from goldenstep.conformance.schedules import as_code, script
from goldenstep.conformance.verdict import Verdict, judge
from goldenstep.golden import files
from goldenstep.golden.cases import cases_of
from goldenstep.golden.compare import compare
from goldenstep.golden.schedule_cases import schedule_cases, schedule_cases_of
from goldenstep.golden.schedule_compare import calls
from goldenstep.reference import Variable
from goldenstep.reference.editions import keras3, namespace, tf2_4, tf2_9, tf2_12, tf2_15
from goldenstep.spec import schedule as spec_of

Document = dict[str, Any]
RELEASES = [edition for edition in spec.editions() if edition == spec_of.release(edition)]
PAIRS = [(edition, schedule) for edition in RELEASES for schedule in spec_of.available(edition)]


# ---- the specification ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", spec_of.schedules())
def test_a_schedule_satisfies_its_schema(name: str) -> None:
    spec.validate(spec_of.schedules()[name], "schedule", name)


def test_clause_ids_are_unique_and_every_clause_has_a_case() -> None:
    clauses = [clause["id"] for document in spec_of.schedules().values() for clause in document["clauses"]]
    assert len(set(clauses)) == len(clauses)
    covered = {clause for edition in RELEASES for case in schedule_cases(edition) for clause in case["clauses"]}
    assert covered == set(clauses)


@pytest.mark.parametrize("name", spec_of.schedules())
def test_a_schedule_belongs_to_the_digest(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = spec.digest()
    monkeypatch.setitem(spec_of.schedules()[name], "summary", "other")
    assert spec.digest() != before


def answered(identity: str) -> Document:
    """A case with what the reference answers."""
    edition, _, schedule, _ = identity.split("/")
    name = next(name for name in spec_of.available(edition) if name.lower() == schedule)
    case = next(case for case in schedule_cases_of(edition, name) if case["id"] == identity)
    answer = reference().run(case)
    return copy.deepcopy({"case": case, "trajectory": {key: value for key, value in answer.items() if key != "id"}})


USUAL = "tf2.12/schedules/cosinedecay/usual"


def spoil_key(golden: Document) -> None:
    golden["case"]["events"] = []


def spoil_steps(golden: Document) -> None:
    golden["case"]["steps"]["values"] = []


def spoil_dtype(golden: Document) -> None:
    golden["case"]["steps"]["dtype"] = "uint8"


def spoil_id(golden: Document) -> None:
    golden["case"]["id"] = "tf2.12/cosinedecay/usual"


def spoil_argument(golden: Document) -> None:
    golden["case"]["schedule"]["config"]["alpha"] = {"dtype": "float32"}


def spoil_value(golden: Document) -> None:
    golden["trajectory"]["values"][0]["values"][0] = "inf"


def spoil_group(golden: Document) -> None:
    golden["trajectory"]["values"][0]["error"] = {"type": "ValueError", "message": ""}


def spoil_layout(golden: Document) -> None:
    golden["trajectory"]["layout"] = []


@pytest.mark.parametrize(
    "spoil",
    [spoil_key, spoil_steps, spoil_dtype, spoil_id, spoil_argument, spoil_value, spoil_group, spoil_layout],
)
def test_a_spoiled_golden_is_refused(spoil: Callable[[Document], None]) -> None:
    golden = answered(USUAL)
    spec.validate(golden, "golden", "unspoiled")
    spoil(golden)
    with pytest.raises(spec.SpecificationError, match="spoiled: golden"):
        spec.validate(golden, "golden", "spoiled")


# ---- what the releases computed ---------------------------------------------------------------------------


@pytest.mark.parametrize("edition", RELEASES)
def test_what_the_releases_refused_is_what_the_specification_says(edition: str) -> None:
    for golden in files.goldens(files.path_of(edition, "schedules")):
        case, answer = golden["case"], golden["trajectory"]
        errors = [call["error"] for call in [answer, *calls(answer)] if "error" in call]
        if "errors" not in case["features"] or "learning_speed" in case["schedule"]["config"]:
            continue
        assert errors, case["id"]
        patterns = [entry["pattern"] for entry in spec_of.refusals(case["schedule"]["class_name"], edition)]
        for error in errors:
            assert any(re.search(pattern, error["message"]) for pattern in patterns), (case["id"], error)


# ---- the reference ----------------------------------------------------------------------------------------


def class_of(edition: str, schedule: str) -> Any:
    found = namespace(edition)
    folder = found.schedules if hasattr(found.schedules, schedule) else found.experimental
    return getattr(folder, schedule)


@pytest.mark.parametrize(("edition", "schedule"), PAIRS)
def test_signature_and_help_are_the_releases_own(edition: str, schedule: str) -> None:
    cls = class_of(edition, schedule)
    parameters = inspect.signature(cls).parameters.values()
    stated = spec_of.arguments(schedule, edition)
    assert [p.name for p in parameters] == [a["name"] for a in stated]
    assert [p.default for p in parameters] == [a.get("default", inspect.Parameter.empty) for a in stated]
    help_text = inspect.getdoc(cls) or ""
    assert all(f"{a['name']}: " in help_text for a in stated)
    assert spec.editions()[edition]["title"] in help_text


def test_each_editions_schedules_are_where_the_release_has_them() -> None:
    assert not hasattr(tf2_4.schedules, "CosineDecay")
    assert hasattr(tf2_4.experimental, "NoisyLinearCosineDecay")
    assert not hasattr(tf2_4.experimental, "LearningRateSchedule")
    assert hasattr(tf2_12.schedules, "CosineDecay")
    assert not hasattr(keras3.schedules, "LinearCosineDecay")
    assert keras3.schedules.LearningRateSchedule is tf2_9.schedules.LearningRateSchedule


def test_noise_has_the_stated_variance() -> None:
    schedule = tf2_4.experimental.NoisyLinearCosineDecay(
        0.1, 10, initial_variance=0.5, variance_decay=0.25, num_periods=0.25
    )
    schedule.generator = np.random.default_rng(7)
    drawn = np.array([schedule(3) for _ in range(4000)], np.float64)

    always = {x: types.SimpleNamespace(standard_normal=lambda x=x: x) for x in (0.0, 1.0)}
    schedule.generator = always[0.0]
    plain = schedule(3)
    schedule.generator = always[1.0]
    one = schedule(3)
    z = (drawn - plain) / (one - plain)
    assert abs(z.mean()) < 5 / np.sqrt(z.size)
    assert abs(z.var() - 1) < 5 * np.sqrt(2 / z.size)


RATES = [0.1, 0.07071068, 0.05, 0.035355341]


def steps_with(module: Any) -> tuple[Any, list[Any]]:
    """An optimizer that follows a schedule, and its learning rate before the first step and after each of three."""
    optimizer = module.SGD(learning_rate=module.schedules.ExponentialDecay(0.1, decay_steps=2, decay_rate=0.5))
    w = Variable(np.ones(2, np.float32), "w")
    seen = [optimizer.learning_rate]
    seen = [x.numpy() if isinstance(x, Variable) else x for x in seen]
    for _ in range(3):
        optimizer.apply_gradients([(np.ones(2, np.float32), w)])
        seen.append(optimizer.learning_rate.numpy() if isinstance(seen[0], np.ndarray) else optimizer.learning_rate)
    assert w.numpy() == pytest.approx(1 - sum(RATES[:3]))
    return optimizer, seen


def test_in_keras_3_the_learning_rate_is_that_of_the_next_step() -> None:
    optimizer, seen = steps_with(keras3)
    assert seen == pytest.approx(RATES)
    assert [v.name for v in optimizer.variables] == ["sgd/iteration"]
    with pytest.raises(TypeError, match="not settable"):
        optimizer.learning_rate = 0.5
    optimizer.learning_rate = keras3.schedules.PiecewiseConstantDecay([3], [0.5, 0.25])
    assert optimizer.learning_rate == 0.5


@pytest.mark.parametrize("module", [tf2_9, tf2_12, tf2_15])
def test_in_keras_2_the_learning_rate_is_that_of_the_latest_step(module: Any) -> None:
    optimizer, seen = steps_with(module)
    assert [float(x) for x in seen] == pytest.approx([RATES[0], *RATES[:3]])
    with pytest.raises(TypeError, match="not settable"):
        optimizer.lr = 0.5
    names = [v.name for v in optimizer.variables]
    assert names[:2] == (["learning_rate:0", "iteration:0"] if module is tf2_9 else ["iteration:0", "SGD/m/w:0"])


def test_a_schedule_that_is_assigned_in_keras_2_12_is_asked_by_the_next_step() -> None:
    optimizer = namespace("tf2.12").SGD(0.5)
    optimizer.learning_rate = tf2_12.schedules.PiecewiseConstantDecay([3], [0.25, 0.125])
    assert not hasattr(optimizer, "learning_rate")
    optimizer.apply_gradients([(np.ones(2, np.float32), Variable(np.ones(2, np.float32)))])
    assert float(optimizer.learning_rate) == 0.25


def test_optimizer_v2_gives_the_schedule_back_and_nadam_refuses_it() -> None:
    optimizer, seen = steps_with(tf2_4)
    assert all(isinstance(x, tf2_4.schedules.ExponentialDecay) for x in seen)
    optimizer.lr = 0.5
    assert optimizer.learning_rate == 0.5
    for module in (tf2_4, tf2_9.legacy, tf2_12.legacy, tf2_15.legacy):
        with pytest.raises(ValueError, match="Nadam optimizer does not support"):
            module.Nadam(tf2_4.schedules.ExponentialDecay(0.1, 2, 0.5))


@pytest.mark.parametrize("edition", spec.editions())
def test_a_schedule_of_your_own_is_followed(edition: str) -> None:
    class Halves(keras3.schedules.LearningRateSchedule):  # type: ignore[misc,name-defined]
        def __call__(self, step: Any) -> Any:
            return np.float32(0.5) ** np.float32(int(step))

    w = Variable(np.zeros(1, np.float32))
    optimizer = namespace(edition).SGD(Halves())
    for _ in range(3):
        optimizer.apply_gradients([(np.ones(1, np.float32), w)])
    assert w.numpy() == [-1.75]
    with pytest.raises(NotImplementedError, match="Halves"):
        Halves().get_config()


# ---- the judge --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("edition", RELEASES)
def test_every_optimizer_has_cases_with_a_schedule(edition: str) -> None:
    for optimizer in spec.available(edition):
        cases = [case for case in cases_of(edition, optimizer) if "schedules" in case["features"]]
        assert len(cases) >= (20 if optimizer in ("SGD", "Adam") else 1)
        assert all(reference().supports(case) is None for case in cases)


def last_bit(answer: Document) -> None:
    values = answer["values"][0]["values"]
    values[3] = float(str(np.nextafter(np.float32(values[3]), np.float32(9))))


def other_dtype(answer: Document) -> None:
    answer["values"][0]["dtype"] = "float64"


def sign_of_zero(answer: Document) -> None:
    answer["values"][0]["values"][-1] = -0.0


def one_value_less(answer: Document) -> None:
    answer["values"][0]["values"].pop()


def other_config(answer: Document) -> None:
    answer["config"]["alpha"] = 0


def no_way_back(answer: Document) -> None:
    answer["roundtrip"] = False


def error_at_a_call(answer: Document) -> None:
    answer["values"][0]["values"].pop()
    answer["values"].append({"error": {"type": "ValueError", "message": "late"}, "times": 1})


def error_from_the_constructor(answer: Document) -> None:
    answer["error"] = {"stage": "construct", "type": "ValueError", "message": "never"}


@pytest.mark.parametrize(
    "spoil",
    [
        last_bit, other_dtype, sign_of_zero, one_value_less, other_config, no_way_back, error_at_a_call,
        error_from_the_constructor,
    ],
)  # fmt: skip
def test_a_spoiled_answer_diverges(spoil: Callable[[Document], None]) -> None:
    golden = answered(USUAL)
    got = copy.deepcopy(golden["trajectory"])
    assert compare(golden["case"], golden["trajectory"], got).divergence is None
    spoil(got)
    assert compare(golden["case"], golden["trajectory"], got).divergence is not None


RANDOM = "tf2.4/schedules/noisylinearcosinedecay/random-initial_variance=1.0"


def test_noise_is_compared_by_its_distribution() -> None:
    golden = answered(RANDOM)
    other = answered(RANDOM)
    case, expected = golden["case"], golden["trajectory"]
    assert expected["values"] != other["trajectory"]["values"]
    assert judge(reference(), case, expected).verdict is Verdict.EXACT
    values = np.array(expected["values"][0]["values"])
    for wrong in (values.mean() + 2 * (values - values.mean()), values + values.std(), values * 0 + values.mean()):
        got = {**expected, "values": [{"dtype": "float32", "values": wrong.tolist()}]}
        assert compare(case, expected, got).divergence is not None


def test_an_implementation_without_schedules_does_not_support_them() -> None:
    bare = KerasShaped("bare", {"keras3": types.SimpleNamespace(SGD=namespace("keras3").SGD)}, Variable, np.asarray)
    assert bare.supports(answered("keras3/schedules/cosinedecay/usual")["case"]) == "no schedule CosineDecay"
    following = next(
        case
        for case in cases_of("keras3", "SGD")
        if "schedules" in case["features"] and "graph" not in case["features"]
    )
    assert bare.supports(following) == "no schedule ExponentialDecay"


def test_the_script_of_a_failure_runs() -> None:
    code = reference().code
    assert code is not None
    for identity in (USUAL, "tf2.4/schedules/noisylinearcosinedecay/usual"):
        case = answered(identity)["case"]
        shown = subprocess.run([sys.executable, "-c", script(case, code)], capture_output=True, text=True, check=True)
        assert "'decay_steps': 10" in shown.stdout
    given = {"class_name": "ExponentialDecay", "config": {"initial_learning_rate": {"dtype": "float64", "value": 0.1}}}
    assert repr(as_code(given, "tf2.12.legacy", code)) == (
        "editions.namespace('tf2.12').schedules.ExponentialDecay(initial_learning_rate=np.float64(0.1))"
    )
