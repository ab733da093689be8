"""What a conversion compares, to the number, and what it says: limits, words, which variables it takes."""

from __future__ import annotations

import dataclasses
import importlib
import json
import math
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from goldenstep.conformance.files import laid_out
from goldenstep.golden import saved_files
from goldenstep.reference import Variable
from goldenstep.reference.formats import files
from goldenstep.reference.formats.convert import Conversion, ConversionError
from goldenstep.reference.formats.errors import FileFormatError
from goldenstep.reference.formats.saved import SavedOptimizer, Weight

from .test_files import GOLDENS  # type: ignore[import-not-found]  # as in test_wrong.py

module = importlib.import_module("goldenstep.reference.formats.convert")
ULP = 2.0**-23
TINY = float(np.finfo(np.float32).tiny)


def file(identity: str, folder: Path) -> Path:
    """A recorded file in a folder of its own."""
    (own := folder / identity.replace("/", "-")).mkdir(exist_ok=True)
    return laid_out(GOLDENS[identity]["case"], saved_files.members(identity), own)


def carried(source: str, target: str, folder: Path, **given: Any) -> tuple[Conversion, Path]:
    """A recorded file as another edition has it."""
    base = file(target, folder)
    output = folder / base.name
    return module.convert(file(source, folder), base, output, **given), output


# ---- two steps ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("steps", "difference"),
    [
        ((1.0, 1.5, 1.0, 1.5), 0.0),
        ((1.0, 1.5, 1.0, 1.25), 0.5 - 8 * ULP / 0.5),
        ((1.0, 1.25, 1.0, 1.5), 0.5 - 8 * ULP / 0.5),
        ((1.0, 0.5, 1.0, 0.75), 0.5 - 8 * ULP / 2 / 0.5),
        ((1.0, 1.5, 1.0, 0.5), 2.0 - 8 * ULP / 0.5),
        ((0.0, 1.0, 0.0, 1.0 - 8 * ULP), TINY),
        ((0.0, 1.0, 0.0, 1.0 - 9 * ULP), ULP),
        ((1.0, 1.5, 2.0, 2.5), TINY),
        ((1.0, 1.0, 2.0, 2.0), TINY),
        ((1.0, math.nan, 1.0, math.nan), 0.0),
        ((1.0, math.nan, 1.0, 2.0), math.inf),
        ((1.0, 2.0, 1.0, math.nan), math.inf),
        ((1.0, math.inf, 1.0, math.inf), 0.0),
        ((1.0, math.inf, 1.0, 2.0), math.inf),
    ],
)
def test_steps_are_compared_beyond_the_rounding_of_the_weights(steps: Sequence[float], difference: float) -> None:
    """Relative to the larger step; a unit in the last place of a number from 1 to 2 is 2 ** -23."""
    first, a, second, b = (np.array([value, 3.0], np.float32) for value in steps)
    assert module.difference_of_steps(first, a, second, b) == difference


def test_the_worst_of_all_elements_counts_and_equal_ones_do_not() -> None:
    first = np.zeros(3, np.float32)
    a, b = np.array([1.0, math.nan, 4.0], np.float32), np.array([1.5, math.nan, 3.0], np.float32)
    assert module.difference_of_steps(first, a, first, b) == (0.5 - 8 * ULP) / 1.5


# ---- what is compared -----------------------------------------------------------------------------------------------


class Moves:
    """Not an optimizer: adds numbers to the variables, and keeps what it is given."""

    def __init__(self, *steps: float) -> None:
        self.steps = list(steps)
        self.given: list[list[np.ndarray]] = []
        self.started: list[np.ndarray] = []

    def apply_gradients(self, pairs: list[tuple[np.ndarray, Variable]]) -> None:
        self.started = self.started or [variable.value for _, variable in pairs]
        self.given.append([gradient for gradient, _ in pairs])
        step = self.steps[min(len(self.given), len(self.steps)) - 1]
        for _, variable in pairs:
            variable.assign(variable.value + np.float32(step))


def test_new_optimizers_take_six_steps_from_0_and_from_other_weights() -> None:
    one, two = Moves(0.0), Moves(0.0)
    assert module.compared((one, two), (Moves(0.0), Moves(0.0), [], [])) == 0.0
    sizes = np.geomspace(1e-8, 100, 64, dtype=np.float32)
    signs = np.tile(np.array([-1, 1], np.float32), 32)
    probe = (sizes * signs).reshape(8, 8)
    assert probe.min() < -60
    for optimizer in (one, two):
        assert [start.tobytes() for start in optimizer.started] == [
            np.zeros((8, 8), np.float32).tobytes(),
            probe[::-1, ::-1].tobytes(),
        ]
        assert len(optimizer.given) == 6
        for gradients, factor in zip(optimizer.given, (0.5, 0.7, 0.9, 1.1, 1.3, 1.5), strict=True):
            assert [gradient.dtype for gradient in gradients] == [np.float32] * 2
            for gradient in gradients:
                np.testing.assert_allclose(gradient, probe * factor, rtol=1e-6)


def test_restored_optimizers_take_six_steps_of_normal_gradients() -> None:
    one, two = Moves(0.0), Moves(0.0)
    before, after = ([Variable(np.zeros((100, 50), t), "a"), Variable(np.zeros((), t), "b")] for t in ("f4", "f4"))
    assert module.compared((Moves(0.0), Moves(0.0)), (one, two, before, after)) == 0.0
    assert len(one.given) == len(two.given) == 6
    for ours, theirs in zip(one.given, two.given, strict=True):
        assert [(g.shape, g.dtype.name) for g in ours] == [((100, 50), "float32"), ((), "float32")]
        assert [g.tobytes() for g in ours] == [g.tobytes() for g in theirs]
        assert abs(ours[0].mean()) < 0.1
        assert abs(ours[0].std() - 1) < 0.1
    assert len({gradients[0].tobytes() for gradients in one.given}) == 6


@pytest.mark.parametrize("late", [0, 3, 5])
def test_the_largest_difference_of_any_step_of_new_or_of_restored_optimizers_counts(late: int) -> None:
    def both() -> tuple[Moves, Moves]:
        steps = [1.0] * 6
        steps[late] = 2.0
        return Moves(*[1.0] * 6), Moves(*steps)

    def variables() -> list[Variable]:
        return [Variable(np.zeros(2, np.float32), "a")]

    expected = pytest.approx(0.5, abs=1e-5)
    assert module.compared((Moves(0.0), Moves(0.0)), (*both(), variables(), variables())) == expected
    still = (Moves(0.0), Moves(0.0), variables(), variables())
    assert module.compared(both(), still) == pytest.approx(0.5, abs=1e-4)


@pytest.mark.parametrize(("difference", "taken"), [(1e-4, True), (1.0001e-4, False)])
def test_a_difference_of_a_part_in_10000_is_rounding_and_more_is_not(
    difference: float, taken: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "compared", lambda *_: difference)
    source, target = "tf2.15/files/adam/defaults-keras", "keras3/files/adam/defaults-keras"
    if taken:
        assert carried(source, target, tmp_path)[0].difference == difference
        return
    with pytest.raises(ConversionError, match="does not go on alike"):
        carried(source, target, tmp_path)


# ---- what is said ---------------------------------------------------------------------------------------------------


def test_what_is_not_in_the_file_is_said(tmp_path: Path) -> None:
    source, target = "tf2.15/files/nadam/defaults-h5", "keras3/files/nadam/defaults-keras"
    with pytest.raises(ConversionError) as caught:
        carried(source, target, tmp_path)
    assert str(caught.value).startswith(
        "Nadam of tf2.15 can't be carried to keras3, which does not go on alike: the same gradients give steps that "
    )
    assert str(caught.value).endswith(
        "%. u_product is not in the file; see: goldenstep diff tf2.15 keras3 --optimizer Nadam"
    )


def test_what_the_target_loses_is_said_of_the_target(tmp_path: Path) -> None:
    """E-027 is of tf2.9, tf2.12 and tf2.15; a checkpoint of tf2.12 has the product, and tf2.4 takes it."""
    with pytest.raises(ConversionError, match=r"^Nadam of tf2\.15 does not go on from a file, .*not saved \(E-027\)$"):
        carried("tf2.12/files/nadam/defaults-keras", "tf2.15/files/nadam/defaults-keras", tmp_path)


@pytest.mark.parametrize(
    ("source", "target", "said"),
    [
        (
            "tf2.4/files/adam/defaults-checkpoint",
            "keras3/files/adam/defaults-checkpoint",
            (["iteration", *(f"{slot} of dense/{v}" for v in ("kernel", "bias") for slot in "mv")], [], []),
        ),
        (
            "keras3/files/adam/defaults-weights.h5",
            "tf2.9/files/adam/defaults-checkpoint",
            (["iteration", *(f"{slot} of variable_{i}" for slot in "mv" for i in range(2))], [], []),
        ),
        ("tf2.12/files/sgd/defaults-weights.h5", "keras3/files/sgd/defaults-keras", (["iteration"], [], ["m"])),
        (
            "tf2.4/files/sgd/defaults-h5",
            "tf2.12/files/sgd/momentum=0.9-h5",
            (["iteration"], [f"m of variable_{i}" for i in range(2)], []),
        ),
    ],
)
def test_what_is_carried_started_and_dropped_is_said(
    source: str, target: str, said: tuple[list[str], ...], tmp_path: Path
) -> None:
    editions = {"source_edition": source.split("/")[0], "target_edition": target.split("/")[0]}
    done, _ = carried(
        source, target, tmp_path, **editions, optimizer={"a": "Adam", "s": "SGD"}[source.split("/")[2][0]]
    )
    found = [
        [name for name in names if name != "learning_rate"] for names in (done.carried, done.started, done.dropped)
    ]
    assert found == list(said)
    assert (done.source, done.target) == tuple(editions.values())
    both = [edition in ("tf2.9", "tf2.12", "tf2.15", "keras3") for edition in editions.values()]
    assert ("learning_rate" in done.carried) == all(both)


# ---- arguments ------------------------------------------------------------------------------------------------------


def test_hyperparameters_of_a_checkpoint_are_arguments_and_the_config_goes_before_them() -> None:
    beside = {
        "learning_rate": np.asarray(0.1, np.float32),
        "beta_1": np.asarray(0.75, np.float32),
        "beta_2": np.ones(1, np.float32),
        "momentum": np.asarray(0.5, np.float32),
    }
    saved = SavedOptimizer("checkpoint", [], beside=beside)
    config = {"beta_1": 0.5, "name": "mine", "nothing": 1, "is_legacy_optimizer": True}
    found = module.arguments_of("Adam", "tf2.15.legacy", config, saved)
    assert found == {"learning_rate": 0.1, "beta_1": 0.5}


def test_a_float32_is_its_shortest_decimal_and_all_else_stays() -> None:
    values = [float(np.float32(0.1)), 0.1, 1.5, 3, None, True, "a"]
    assert [module.shortest(value) for value in values] == [0.1, 0.1, 1.5, 3, None, True, "a"]
    assert [type(module.shortest(value)) for value in values] == [float, float, float, int, type(None), bool, str]


def test_arguments_that_the_target_has_not_must_have_their_defaults() -> None:
    own = {"learning_rate": 0.5, "decay": 0.0, "momentum": 0.9}
    assert module.carried_arguments("SGD", "tf2.4", "keras3", own) == {"learning_rate": 0.5, "momentum": 0.9}
    assert module.carried_arguments("SGD", "tf2.4", "keras3", {"decay": None}) == {}
    assert module.carried_arguments("SGD", "tf2.4", "tf2.9.legacy", {"decay": 0.5}) == {"decay": 0.5}
    with pytest.raises(ConversionError, match=r"^decay=0\.5 can't be carried: SGD of keras3 has no such argument$"):
        module.carried_arguments("SGD", "tf2.4", "keras3", {"decay": 0.5})


def test_a_schedule_that_the_target_has_not_is_named() -> None:
    rate = {"class_name": "LinearCosineDecay", "config": {"initial_learning_rate": 0.5, "decay_steps": 9}}
    with pytest.raises(ConversionError, match=r"^the schedule LinearCosineDecay can't be carried: keras3 has none$"):
        module.made("SGD", "keras3", {"learning_rate": rate})


# ---- class and edition ----------------------------------------------------------------------------------------------


def test_an_edition_is_known_by_version_and_keys(tmp_path: Path) -> None:
    for edition in ("tf2.4", "tf2.9.legacy", "tf2.9", "tf2.12.legacy", "tf2.12", "tf2.15.legacy", "tf2.15", "keras3"):
        path = file(f"{edition}/files/adam/defaults-h5", tmp_path)
        saved = files.read(path)
        assert module.edition_of(saved, None, path) == edition
        assert module.edition_of(saved, "tf2.4", path) == "tf2.4"
        assert saved.config
        custom = {**saved.config, "class_name": "Custom>Adam"}
        assert module.edition_of(dataclasses.replace(saved, config=custom), None, path) == edition
    later = dataclasses.replace(saved, version=f"{saved.version.partition('.')[0]}0.1" if saved.version else None)
    with pytest.raises(
        ConversionError, match=rf"h5: no edition writes version {later.version} with the keys \['amsgrad', 'beta_1'"
    ):
        module.edition_of(later, None, path)
    for unknown in (dataclasses.replace(saved, version=None), dataclasses.replace(saved, config=None)):
        with pytest.raises(ConversionError, match="does not say which edition wrote it: expected one of tf2"):
            module.edition_of(unknown, None, path)
    with pytest.raises(ConversionError, match=r"^tf1: expected one of tf2"):
        module.edition_of(saved, "tf1", path)


def test_a_class_is_that_of_a_config_or_the_one_that_is_given(tmp_path: Path) -> None:
    editions = {"source_edition": "tf2.12", "target_edition": "keras3"}
    source, target = (f"{edition}/files/adam/defaults-weights.h5" for edition in editions.values())
    with pytest.raises(ConversionError, match=r"h5 does not say of which class its optimizer is: say so$"):
        carried(source, target, tmp_path, **editions)
    with pytest.raises(ConversionError, match=r"^Adan is none of .*Adam, "):
        carried(source, target, tmp_path, **editions, optimizer="Adan")
    assert carried(source, target, tmp_path, **editions, optimizer="Adam")[0].optimizer == "Adam"
    assert carried(source, "keras3/files/adam/defaults-keras", tmp_path, **editions)[0].optimizer == "Adam"
    custom = SavedOptimizer("h5", [], {"class_name": "Custom>Lion", "config": {}})
    assert module.class_of(custom, "Adam") == "Lion"


# ---- which variables ------------------------------------------------------------------------------------------------


def test_state_that_depends_on_the_rank_needs_a_file_that_shows_the_variables(tmp_path: Path) -> None:
    given: dict[str, Any] = {"source_edition": "tf2.12", "target_edition": "tf2.15", "optimizer": "Adafactor"}
    source, target = (f"{edition}/files/adafactor/defaults-" for edition in ("tf2.12", "tf2.15"))
    with pytest.raises(
        ConversionError, match=r"^the state of Adafactor depends on the rank of each variable, and .*h5 "
    ):
        carried(source + "weights.h5", target + "weights.h5", tmp_path, **given)
    for formats in (("checkpoint", "checkpoint"), ("checkpoint", "weights.h5"), ("weights.h5", "checkpoint")):
        done, output = carried(source + formats[0], target + formats[1], tmp_path, **given)
        assert done.started == done.dropped == []
        old, new = files.read(file(source + formats[0], tmp_path)), files.read(output)
        assert [w.value.tobytes() for w in new.weights] == [w.value.tobytes() for w in old.weights]


def test_as_many_variables_are_taken_as_the_state_is_of() -> None:
    """Their shapes and dtypes are those of their slots; a state of another length is of none."""

    def owners(name: str, edition: str, config: dict[str, Any], *arrays: np.ndarray) -> list[tuple[str, Any, str]]:
        weights = [Weight(str(number), array) for number, array in enumerate(arrays)]
        found = module.owners_of(name, edition, config, SavedOptimizer("h5", weights))
        return [(owner.name, owner.shape, owner.dtype) for owner in found]

    step, a, b = np.array(3), np.zeros((3, 2), np.float32), np.zeros(2, np.float16)
    expected = [("variable_0", (3, 2), "float32"), ("variable_1", (2,), "float16")]
    assert owners("Adam", "tf2.4", {}, step, a, b, a, b) == expected
    assert owners("Adam", "tf2.15", {}, step, a, a, b, b) == expected
    assert owners("Adam", "tf2.15", {}, step, a, a) == expected[:1]
    assert owners("Adam", "tf2.15", {"amsgrad": True}, step, a, a, b, b, a, b) == expected
    assert owners("Adam", "tf2.4", {}, step, a, b, a) == []
    assert owners("Adam", "tf2.4", {}) == []
    assert owners("SGD", "tf2.4", {}, step) == []
    assert owners("SGD", "tf2.4", {"momentum": 0.5}, step, a) == expected[:1]


# ---- names ----------------------------------------------------------------------------------------------------------


def test_the_name_of_the_target_s_optimizer_stays(tmp_path: Path) -> None:
    source, base = (file(f"{edition}/files/adam/defaults-keras", tmp_path) for edition in ("tf2.15", "keras3"))
    with zipfile.ZipFile(base) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(members["config.json"])
    config["compile_config"]["optimizer"]["config"]["name"] = "mine"
    with zipfile.ZipFile(base, "w") as archive:
        for name, data in {**members, "config.json": json.dumps(config).encode()}.items():
            archive.writestr(name, data)
    module.convert(source, base, tmp_path / "new.keras")
    saved = files.read(tmp_path / "new.keras")
    assert saved.config
    assert saved.config["config"]["name"] == "mine"


@pytest.mark.parametrize("target", ["tf2.4", "keras3"])
def test_more_state_than_the_target_had_is_named_as_the_release_names_it(target: str, tmp_path: Path) -> None:
    """But for the variables, which are not in the file; as much state keeps the names that the target's file has."""
    plain, amsgrad = (f"{target}/files/adam/{kind}-h5" for kind in ("defaults", "amsgrad"))
    recorded = [[w.name for w in files.read(file(identity, tmp_path)).weights] for identity in (plain, amsgrad)]
    _, output = carried("tf2.15/files/adam/defaults-h5", plain, tmp_path)
    assert [w.name for w in files.read(output).weights] == recorded[0]
    _, output = carried("tf2.15/files/adam/amsgrad-h5", plain, tmp_path)
    names = [w.name for w in files.read(output).weights]
    layer = {"tf2.4": "dense/", "keras3": "model_dense_"}[target]
    for number, variable in enumerate(("kernel", "bias")):
        names = [name.replace(f"variable_{number}", layer + variable) for name in names]
    assert names == recorded[1]


def test_slots_of_a_checkpoint_keep_the_variables_of_the_target(tmp_path: Path) -> None:
    """tf2.4 goes on by the names that its own file has."""
    source, target = (f"{edition}/files/adam/defaults-checkpoint" for edition in ("keras3", "tf2.4"))
    given: dict[str, Any] = {"source_edition": "keras3", "target_edition": "tf2.4", "optimizer": "Adam"}
    _, output = carried(source, target, tmp_path, **given)
    new, base = files.read(output), files.read(file(target, tmp_path))
    assert [(w.name, w.slot, w.variable) for w in new.weights] == [(w.name, w.slot, w.variable) for w in base.weights]


def test_a_state_of_another_length_than_the_config_says_is_refused(tmp_path: Path) -> None:
    source, target = "tf2.15/files/adam/amsgrad-h5", "keras3/files/adam/defaults-keras"
    with pytest.raises(FileFormatError, match=r"shape .* and dtype float32, expected|arrays of state, expected"):
        carried(source, target, tmp_path, config={"amsgrad": False})
