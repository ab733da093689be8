"""Serialization in memory: specification, reference, judge, and the goldens of the releases."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from goldenstep import spec
from goldenstep.reference.editions import keras3, namespace, tf2_4, tf2_9, tf2_12, tf2_15
from goldenstep.spec import schedule as spec_of_schedules
from goldenstep.spec import serialization

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
    keywords = set(spec.editions()[edition].get("keyword_arguments", {}))
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
            return 0.5 ** int(step)

        def get_config(self) -> Document:
            return {}

    config = module.SGD(Halving()).get_config()
    again = module.SGD.from_config(config, custom_objects={"Halving": Halving})
    assert type(again.get_config()["learning_rate"]) is dict
    assert type(config["learning_rate"]) is Halving


def test_the_hyperparameters_of_optimizer_v2_are_variables_once_one_is_read() -> None:
    optimizer = tf2_4.Adam(0.5, epsilon=None, decay=1)
    assert [type(value) for value in optimizer.get_config().values()] == [str, float, int, float, float, float, bool]
    assert optimizer.beta_1 == np.float32(0.9)
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
