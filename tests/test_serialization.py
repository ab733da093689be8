"""Serialization in memory: specification, reference, judge, and the goldens of the releases."""

from __future__ import annotations

import copy
import re
import subprocess
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from goldenstep import spec
from goldenstep.conformance import snippet
from goldenstep.conformance.keras_shaped import KerasShaped, reference
from goldenstep.conformance.properties import Broken, Subject, registered
from goldenstep.conformance.serialization import script
from goldenstep.conformance.verdict import Record, Verdict, judge
from goldenstep.golden import files, record
from goldenstep.golden.compare import compare
from goldenstep.golden.resume_cases import BEFORE
from goldenstep.reference.editions import keras3, namespace, tf2_4, tf2_9, tf2_12, tf2_15
from goldenstep.spec import schedule as spec_of_schedules
from goldenstep.spec import serialization

from .wrong import serialized_files  # type: ignore[import-not-found]  # noqa: F401  # it registers; as in test_wrong.py
from .wrong.serializations import SERIALIZATIONS  # type: ignore[import-not-found]  # as in test_wrong.py

Document = dict[str, Any]
PAIRS = [(edition, optimizer) for edition in spec.editions() for optimizer in spec.available(edition)]
RELEASES = {"tf2.4": tf2_4, "tf2.9": tf2_9, "tf2.12": tf2_12, "tf2.15": tf2_15, "keras3": keras3}


# ---- the specification ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", serialization.formats())
def test_a_format_satisfies_its_schema(name: str) -> None:
    spec.validate(serialization.formats()[name], "format", name)


@pytest.mark.parametrize("name", serialization.formats())
def test_a_format_belongs_to_the_digest(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = spec.digest()
    monkeypatch.setitem(serialization.formats()[name], "summary", "other")
    assert spec.digest() != before


@pytest.mark.parametrize(("edition", "optimizer"), PAIRS)
def test_every_argument_is_a_key_of_the_config_or_said_to_be_left_out(edition: str, optimizer: str) -> None:
    keys = serialization.config_keys(optimizer, edition)
    assert len(set(keys)) == len(keys)
    arguments = {entry["name"] for entry in spec.arguments(optimizer, edition)} - {"**kwargs"}
    forgotten = {("tf2.9", "SGD"): {"amsgrad"}}.get((edition, optimizer), set())
    nameless = {"name"} if edition == "tf2.9" else set()
    assert arguments - set(keys) == forgotten | nameless
    keywords = set(spec.keyword_arguments(edition))
    assert set(keys) - arguments - keywords == set(serialization.always()) & set(keys) - arguments


@pytest.mark.parametrize("release", RELEASES)
def test_every_name_stands_for_a_class_of_the_release(release: str) -> None:
    for legacy in (False, True):
        for name, place in serialization.names(release, legacy).items():
            edition, _, cls = place.partition("/")
            assert name == name.lower()
            assert spec.editions()[edition]["release"] == release
            assert name.removeprefix("experimental").startswith(cls.lower()[:18])


# ---- the reference ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("edition", "optimizer"), PAIRS)
def test_a_config_makes_the_same_optimizer_again(edition: str, optimizer: str) -> None:
    cls = getattr(namespace(edition), optimizer)
    config = cls().get_config()
    assert list(config) == [key for key in serialization.config_keys(optimizer, edition) if key in config]
    again = cls.from_config(dict(config))
    assert type(again) is cls
    assert again.get_config() == config


@pytest.mark.parametrize("release", RELEASES)
def test_a_name_means_the_class_that_the_table_says(release: str) -> None:
    module = RELEASES[release]
    for name, place in serialization.names(release).items():
        edition, _, cls = place.partition("/")
        if cls in spec.available(edition):
            found = module.get(name.upper())
            assert type(found) is getattr(namespace(edition), cls)
            assert module.get(found) is found


def test_get_adam_means_another_class_in_each_generation() -> None:
    assert type(tf2_9.get("adam")) is tf2_9.legacy.Adam
    assert type(tf2_9.get("experimentaladam")) is tf2_9.Adam
    assert type(tf2_12.get("adam")) is tf2_12.Adam
    assert type(tf2_12.get("adam", use_legacy_optimizer=True)) is tf2_12.legacy.Adam
    assert type(tf2_12.get({"class_name": "Adam", "config": {"learning_rate": 0.5}})) is tf2_12.legacy.Adam
    assert type(tf2_15.get({"class_name": "Adam", "config": {}})) is tf2_15.Adam


def test_what_is_not_known_is_refused_or_comes_back() -> None:
    for module in (tf2_4, tf2_9, tf2_12, tf2_15, keras3):
        with pytest.raises(ValueError, match=r"[Ll]amb"):
            module.get("lamb")
        with pytest.raises(ValueError, match="Could not interpret optimizer identifier: 5"):
            module.get(5)
    assert keras3.get(None) is None
    assert keras3.deserialize({"class_name": "Lamb", "config": {}}) == "Lamb"
    assert tf2_15.get(tf2_15.serialize(tf2_15.AdamW())) == "AdamW"


@pytest.mark.parametrize("release", RELEASES)
def test_a_schedule_goes_through_the_config_of_its_optimizer(release: str) -> None:
    module = RELEASES[release]
    schedule = module.schedules.ExponentialDecay(0.1, decay_steps=2, decay_rate=0.5)
    config = module.SGD(schedule).get_config()
    assert config["learning_rate"] == module.schedules.serialize(schedule)
    again = module.SGD.from_config(config)
    assert config["learning_rate"].get_config() == schedule.get_config()
    assert again.get_config()["learning_rate"] == module.schedules.serialize(schedule)


@pytest.mark.parametrize("release", ["tf2.4", "tf2.12", "tf2.15", "keras3"])
def test_custom_objects_name_classes_of_ones_own(release: str) -> None:
    module = RELEASES[release]

    class Halving(module.schedules.LearningRateSchedule):  # type: ignore[misc,name-defined]
        def __call__(self, step: Any) -> Any:
            return np.float32(0.5 ** int(step))

        def get_config(self) -> Document:
            return {}

    config = module.SGD(Halving()).get_config()
    again = module.SGD.from_config(config, custom_objects={"Halving": Halving})
    assert type(again.get_config()["learning_rate"]) is dict
    assert type(config["learning_rate"]) is Halving


def test_the_hyperparameters_of_optimizer_v2_are_variables_once_one_is_read() -> None:
    optimizer = tf2_4.Adam(0.5, epsilon=None, decay=1)
    assert [type(value) for value in optimizer.get_config().values()] == [str, float, int, float, float, float, bool]
    assert float(optimizer.beta_1) == np.float32(0.9)
    kinds = [type(value) for value in optimizer.get_config().values()]
    assert kinds == [str, np.float32, np.int32, np.float32, np.float32, float, bool]
    assert optimizer.get_config()["epsilon"] == 1e-7


def test_nothing_that_a_config_names_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib

    monkeypatch.setattr(importlib, "import_module", lambda name: pytest.fail(f"{name} was imported"))
    document: Document = {"module": "antigravity", "class_name": "Thing", "config": {}, "registered_name": None}
    assert keras3.deserialize(dict(document)) == "Thing"
    with pytest.raises(TypeError, match="Could not locate 'Thing' of module 'antigravity'"):
        keras3.SGD.from_config({"learning_rate": dict(document)})
    with pytest.raises(ValueError, match="lambda"):
        keras3.SGD.from_config({"learning_rate": keras3.SGD(lambda: 0.5).get_config()["learning_rate"]})


def test_release_of_every_edition_has_identifiers() -> None:
    assert {spec_of_schedules.release(edition) for edition in spec.editions()} == set(RELEASES)
    assert set(serialization.formats()["identifiers"]["releases"]) == set(RELEASES)
    assert set(serialization.formats()["config"]["editions"]) == set(spec.editions())


# ---- the goldens ------------------------------------------------------------------------------------------

KINDS = {kind: record.KINDS[kind] for kind in ("config", "identifiers", "weights", "resume")}
FILES = [(kind, edition) for kind in KINDS for edition in spec.editions() if next(KINDS[kind](edition), None)]


@pytest.mark.parametrize("kind", KINDS)
def test_clause_ids_are_unique_and_every_clause_has_a_case(kind: str) -> None:
    clauses = [clause["id"] for clause in serialization.formats()[kind]["clauses"]]
    assert len(set(clauses)) == len(clauses)
    covered = {
        (clause, edition) for edition in spec.editions() for case in KINDS[kind](edition) for clause in case["clauses"]
    }
    wanted = {
        (clause["id"], edition)
        for edition in spec.editions()
        for clause in serialization.clauses(kind, edition)
        if (kind, edition) in FILES
    }
    assert covered == wanted


@pytest.mark.parametrize(("kind", "edition"), FILES)
def test_goldens_satisfy_their_schema(kind: str, edition: str) -> None:
    for golden in files.goldens(files.path_of(edition, kind)):
        spec.validate(golden, "golden", golden["case"]["id"])


def recorded_configs(given: Any) -> Iterator[tuple[str, str, Document]]:
    """Every optimizer of the release's own that a result describes, or made: edition, class, config."""
    if isinstance(given, dict):
        if "$optimizer" in given:
            found = given["$optimizer"]
            yield found["edition"], found["class_name"], found["config"]
        for value in given.values():
            yield from recorded_configs(value)
    elif isinstance(given, list):
        for value in given:
            yield from recorded_configs(value)


@pytest.mark.parametrize("edition", spec.editions())
def test_every_recorded_config_satisfies_the_schema_that_the_specification_makes(edition: str) -> None:
    checked = wrapped = 0
    validators: dict[tuple[str, str], Draft202012Validator] = {}
    for kind in ("config", "identifiers"):
        path = files.path_of(edition, kind)
        for golden in files.goldens(path) if path.exists() else ():
            for place, name, config in recorded_configs(golden["trajectory"]["results"]):
                if name.startswith("LossScaleOptimizer") or name == "MultiOptimizer":
                    Draft202012Validator(serialization.schema_of_wrapper_config(name, place)).validate(config)
                    wrapped += 1
                if name in spec.available(place):
                    if (place, name) not in validators:
                        validators[place, name] = Draft202012Validator(serialization.schema_of_config(name, place))
                    error = best_match(validators[place, name].iter_errors(config))
                    fails_at_the_first_step = isinstance(config["learning_rate"], str | None)
                    options = [n for n, e in spec.hyperparameters(name, place).items() if e["type"] == "bool"]
                    one_for_true = any(type(config.get(option)) is int for option in options)
                    assert (error is not None) == (fails_at_the_first_step or one_for_true), golden["case"]["id"]
                    assert list(config) == [k for k in serialization.config_keys(name, place) if k in config]
                    checked += 1
    assert checked > 60
    assert wrapped > 20


def test_a_schema_of_a_config_is_closed_and_refuses_what_is_not_its_own() -> None:
    schema = serialization.schema_of_config("Adam", "keras3")
    config = keras3.Adam().get_config()
    validator = Draft202012Validator(schema)
    assert validator.is_valid(config)
    assert not validator.is_valid({**config, "decay": 0.0})
    assert not validator.is_valid({key: value for key, value in config.items() if key != "beta_1"})
    assert not validator.is_valid({**config, "learning_rate": {"$float32": 0.001}})
    assert not validator.is_valid({**config, "amsgrad": 0})
    older = Draft202012Validator(serialization.schema_of_config("Adam", "tf2.12"))
    assert older.is_valid({**tf2_12.Adam().get_config(), "learning_rate": {"$float32": 0.001}})
    assert not older.is_valid({**tf2_12.Adam().get_config(), "learning_rate": 0.001})


# ---- the judge --------------------------------------------------------------------------------------------


def golden_of(identity: str) -> Document:
    """A recorded golden by its id."""
    return files.parsed(*files.index()[identity])


@pytest.mark.parametrize(("kind", "edition"), FILES)
def test_the_reference_gives_the_recorded_results(kind: str, edition: str) -> None:
    implementation = reference()
    for golden in files.goldens(files.path_of(edition, kind)):
        record = judge(implementation, golden["case"], golden["trajectory"])
        assert record.verdict is Verdict.EXACT, f"{record.id}: {record.reason}"
        assert record.optimizer == (golden["case"]["optimizer"]["class_name"] if kind == "resume" else kind)


def test_the_judge_names_the_call_and_the_key_that_differ() -> None:
    golden = golden_of("keras3/config/adam-defaults")
    for spoil, where in (
        (lambda results: results[1]["value"].update(beta_1=0.91), "call 2, get_config, result['beta_1']"),
        (lambda results: results[1]["value"].update(speed=1), "call 2, get_config, result, keys"),
        (lambda results: results[0].update(error={"type": "ValueError", "message": "no"}), "call 1, construct"),
        (lambda results: results[3].update(given={"name": "x"}), "call 4, from_config, the argument afterwards"),
        (lambda results: results.pop(), "call 7, from_config"),
        (lambda results: results[1]["value"].update(amsgrad=0), "call 2, get_config, result['amsgrad']"),
    ):
        got = copy.deepcopy(golden["trajectory"])
        spoil(got["results"])
        divergence = compare(golden["case"], golden["trajectory"], got).divergence
        assert divergence is not None
        assert divergence.where == where
    same = compare(golden["case"], golden["trajectory"], copy.deepcopy(golden["trajectory"]))
    assert same.divergence is None


def test_an_implementation_declines_what_it_does_not_have() -> None:
    class Adam:
        def __init__(self, learning_rate: float = 0.001) -> None: ...

        def apply_gradients(self, pairs: Any) -> None: ...

    bare = KerasShaped("bare", {"keras3": types.SimpleNamespace(Adam=Adam)}, keras3.Adam, np.asarray)
    declined = {
        "keras3/config/adam-defaults": "no get_config",
        "keras3/config/sgd-defaults": "no SGD of keras3",
        "keras3/identifiers/get-adam": "no get",
        "keras3/identifiers/schedules-none": "no schedules.deserialize",
        "keras3/weights/adam-set_weights": "no set_weights",
        "keras3/weights/adam-save_own_variables": "no save_own_variables",
    }
    found = {identity: bare.supports(golden_of(identity)["case"]) for identity in declined if identity in files.index()}
    assert found == {identity: reason for identity, reason in declined.items() if identity in found}
    assert len(found) >= 5


@pytest.mark.parametrize(
    "identity",
    [
        "tf2.4/config/adam-schedule-of-ones-own-unknown",
        "tf2.12/config/sgd-schedule",
        "tf2.12/identifiers/dict-plain",
        "tf2.15/identifiers/serialize-adam",
        "tf2.15/weights/adam-set_weights",
        "keras3/weights/sgd-load_own_variables",
        "keras3/identifiers/schedules-cosinedecay",
    ],
)
def test_the_script_of_a_failure_runs_and_prints_every_result(identity: str) -> None:
    golden, implementation = golden_of(identity), reference()
    assert implementation.code is not None
    text = script(golden["case"], implementation.code)
    raised = [call for call in golden["trajectory"]["results"] if "error" in call]
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=False)
    assert (done.returncode != 0) == bool(raised), done.stderr
    if not raised:
        asked = sum(not {"construct", "schedule", "build", "set"} & set(call) for call in golden["case"]["calls"])
        assert len(done.stdout.splitlines()) >= asked


# ---- resuming ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "identity",
    [
        "tf2.4/resume/adam-weights",
        "tf2.9/resume/adam-variables",
        "tf2.12.legacy/resume/sgd-weights",
        "tf2.15/resume/adam-store",
        "keras3/resume/adam-weights",
        "keras3/resume/nadam-store-gradient_accumulation_steps=2",
        "keras3/resume/nadam-config",
    ],
)
def test_the_script_of_a_failure_hands_over_the_state_as_the_case_does(identity: str) -> None:
    golden, implementation, names = golden_of(identity), reference(), dict[str, Any]()
    record = Record(identity, golden["case"]["edition"], "Adam", (), (), Verdict.DIVERGES)
    exec(snippet.script(implementation.code or {}, golden["case"], record), names)
    last = golden["trajectory"]["steps"][-1]["variables"]
    assert [v.numpy().ravel().tolist() for v in names["variables"]] == [np.float32(v).tolist() for v in last]


def without_stop(case: Document) -> Document:
    """The same run, uninterrupted."""
    return {**case, "events": [event for event in case["events"] if "resume" not in event], "keep": [BEFORE, 4, 5]}


def goes_on(golden: Document) -> bool:
    """Does the recorded run go on, from the resumption to the end, as the reference's uninterrupted one?"""
    straight = reference().run(without_stop(golden["case"]))["steps"]
    recorded = golden["trajectory"]["steps"][1:]
    return [(s["variables"], s["state"]) for s in recorded] == [(s["variables"], s["state"]) for s in straight]


@pytest.mark.parametrize("edition", spec.editions())
def test_every_release_goes_on_to_the_bit_but_for_nadam_of_keras_2_and_loss_scales(edition: str) -> None:
    parted, refused, stayed = set(), set(), 0
    for golden in files.goldens(files.path_of(edition, "resume")):
        way = next(event["resume"] for event in golden["case"]["events"] if "resume" in event)
        if way == "config":
            assert goes_on(golden) is golden["case"]["id"].endswith("before-the-first-step"), golden["case"]["id"]
        elif "error" in golden["trajectory"]:
            refused.add(golden["case"]["id"].rpartition("-weights-")[2])
        elif goes_on(golden):
            stayed += 1
        else:
            parted.add(golden["case"]["optimizer"]["class_name"])
    assert stayed >= len(spec.available(edition)) - len(parted)
    legacy = edition == "tf2.4" or edition.endswith(".legacy")  # set_weights takes no empty list there
    assert refused == ({"before-the-first-step"} if legacy else set())
    nadam = {"Nadam"} if edition in ("tf2.9", "tf2.12", "tf2.15") else set()
    loss_scale = set() if edition == "tf2.9" else {"LossScaleOptimizer"}
    assert parted == nadam | loss_scale


def test_a_loss_scale_of_keras_3_goes_on_where_a_store_carries_it_and_not_where_set_weights_does() -> None:
    went_on: dict[str, set[bool]] = {"weights": set(), "store": set()}
    for golden in files.goldens(files.path_of("keras3", "resume")):
        if golden["case"]["optimizer"]["class_name"] == "LossScaleOptimizer":
            way = next(event["resume"] for event in golden["case"]["events"] if "resume" in event)
            went_on.get(way, set()).add(goes_on(golden))
    assert went_on == {"weights": {False}, "store": {True}}


# ---- wrong implementations --------------------------------------------------------------------------------


@pytest.mark.parametrize("identity", SERIALIZATIONS)
def test_a_golden_rejects_a_wrong_implementation(identity: str) -> None:
    suspect, case = SERIALIZATIONS[identity]
    golden = golden_of(case)
    assert judge(reference(), golden["case"], golden["trajectory"]).verdict is Verdict.EXACT
    with suspect.at_work():
        assert judge(reference(), golden["case"], golden["trajectory"]).verdict is Verdict.DIVERGES
    assert judge(reference(), golden["case"], golden["trajectory"]).verdict is Verdict.EXACT


@pytest.mark.parametrize(
    ("identity", "suspect", "golden"),
    [
        ("P-68", "resume/slots-lost", "tf2.12/adam/defaults-float32"),
        ("P-68", "resume/counter-lost", "keras3/adam/defaults-float32"),
        ("P-69", "config/clipvalue-lost", "keras3/adam/clipvalue=0.5"),
    ],
)
def test_a_property_of_handing_over_rejects_it_without_goldens(identity: str, suspect: str, golden: str) -> None:
    case = golden_of(golden)["case"]
    check = registered()[identity].check
    check(Subject(reference()), case)
    with SERIALIZATIONS[suspect][0].at_work(), pytest.raises(Broken):
        check(Subject(reference()), case)


# ---- the documentation ------------------------------------------------------------------------------------

PAGE = Path(__file__).parent.parent / "docs" / "serialization.md"


def test_the_examples_of_the_page_give_what_they_show() -> None:
    result = subprocess.run([sys.executable, "-m", "doctest", "-v", str(PAGE)], capture_output=True, text=True)
    assert result.returncode == 0, result.stdout
    assert "0 failed" in result.stdout
    links = re.findall(r"\]\(([^)#]+)\)", PAGE.read_text())
    assert links
    assert [link for link in links if not (PAGE.parent / link).exists()] == []
    assert "docs/serialization.md" in (PAGE.parent.parent / "README.md").read_text()
