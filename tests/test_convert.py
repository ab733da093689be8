"""An optimizer is carried from one edition to another: exactly, up to rounding, or not at all."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from goldenstep import spec
from goldenstep.conformance.command_line import main
from goldenstep.conformance.files import laid_out
from goldenstep.golden import files as goldens
from goldenstep.golden import saved_files
from goldenstep.reference import Variable
from goldenstep.reference.editions import namespace
from goldenstep.reference.formats import files
from goldenstep.reference.formats.convert import SAME_BUT_ROUNDING, Conversion, ConversionError, convert

GOLDENS = {
    golden["case"]["id"]: golden
    for edition in spec.editions()
    for golden in goldens.goldens(goldens.path_of(edition, "files"))
}


def file(identity: str, folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    return laid_out(GOLDENS[identity]["case"], saved_files.members(identity), folder)


def carried(source: str, target: str, folder: Path, **given: Any) -> tuple[Conversion, Path]:
    base = file(target, folder / "target")
    output = folder / base.name
    return convert(file(source, folder / "source"), base, output, **given), output


def test_slots_find_their_places(tmp_path: Path) -> None:
    """Slot-major m, m, v, v of tf2.4 becomes variable-major momentum, velocity of Keras 3."""
    done, output = carried("tf2.4/files/adam/defaults-h5", "keras3/files/adam/defaults-keras", tmp_path)
    old = {w.name: w.value for w in files.read(tmp_path / "source" / "model.h5").weights}
    new = [w.value for w in files.read(output).weights]
    names = ["iter", "dense/kernel/m", "dense/kernel/v", "dense/bias/m", "dense/bias/v"]
    expected = [old[f"Adam/{name}:0"] for name in names]
    for value, wanted in zip([new[0], *new[2:]], expected, strict=True):
        assert value.tobytes() == wanted.tobytes()
    assert new[1] == np.float32(0.001)
    assert 0 < done.difference < SAME_BUT_ROUNDING
    assert files.read(output).config["config"]["beta_1"] == 0.9  # type: ignore[index]


@pytest.mark.parametrize("optimizer", ["Adam", "Adagrad", "RMSprop", "Adadelta", "Adamax"])
def test_a_conversion_is_to_the_bit_where_both_editions_have_the_same_rule(optimizer: str, tmp_path: Path) -> None:
    """The table of the rules says so on its own: the same function is the same bits."""
    rules = importlib.import_module(f"goldenstep.reference.rules.{optimizer.lower()}").RULES
    editions = ("tf2.4", "tf2.9.legacy", "tf2.12", "tf2.15", "keras3")
    for source in editions:
        for target in editions:
            folder = tmp_path / f"{source}-{target}"
            folder.mkdir()
            variant = spec.variant(optimizer, {a["name"]: a.get("default") for a in spec.arguments(optimizer, source)})
            same = rules[source][variant] is rules[target][variant]
            name = f"files/{optimizer.lower()}/defaults-checkpoint"
            given = {"source_edition": source, "target_edition": target, "optimizer": optimizer}
            try:
                difference = carried(f"{source}/{name}", f"{target}/{name}", folder, **given)[0].difference
            except ConversionError:
                difference = 1.0
            assert (difference == 0) == same, (source, target)


def test_both_go_on_to_the_bit_from_an_exact_conversion(tmp_path: Path) -> None:
    source, target = "tf2.15/files/adam/amsgrad-h5", "keras3/files/adam/amsgrad-checkpoint"
    done, output = carried(source, target, tmp_path, target_edition="keras3", optimizer="Adam")
    assert done.difference == 0
    start = [np.ones((3, 2), np.float32), np.ones(2, np.float32)]
    results = []
    for edition, path in (("tf2.15", tmp_path / "source" / "model.h5"), ("keras3", output)):
        optimizer = namespace(edition).Adam(amsgrad=True)
        variables = [Variable(a, n) for a, n in zip(start, ("dense/kernel", "dense/bias"), strict=True)]
        files.restore(path, optimizer, variables)
        for step in range(3):
            optimizer.apply_gradients([(np.full(v.shape, 0.1 * step + 0.01, np.float32), v) for v in variables])
        results.append(b"".join(v.numpy().tobytes() for v in variables))
    assert results[0] == results[1]


REFUSED: dict[str, tuple[str, str, str]] = {
    "a target that restores no product": (
        "tf2.12/files/nadam/defaults-keras",
        "tf2.15/files/nadam/defaults-keras",
        "does not go on from a file, whoever wrote it",
    ),
    "another rule": ("keras3/files/nadam/defaults-keras", "tf2.4/files/nadam/defaults-h5", "Their rules differ"),
    "state that no file has": (
        "tf2.15/files/nadam/defaults-h5",
        "keras3/files/nadam/defaults-keras",
        "u_product is not",
    ),
    "an argument": ("tf2.15/files/adam/use_ema-h5", "tf2.4/files/adam/defaults-h5", "use_ema=True can't be carried"),
    "accumulation": (
        "keras3/files/adam/gradient_accumulation_steps=2-h5",
        "tf2.15/files/adam/defaults-h5",
        "gradient_accumulation_steps=2 can't be carried",
    ),
    "another class": ("keras3/files/lion/defaults-keras", "tf2.4/files/adam/defaults-h5", "tf2.4 has no Lion"),
    "no state": ("tf2.9/files/adam/defaults-h5", "tf2.15/files/adam/defaults-h5", "holds no state"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_carried_is_named_and_nothing_is_written(name: str, tmp_path: Path) -> None:
    source, target, match = REFUSED[name]
    with pytest.raises(ConversionError, match=match):
        carried(source, target, tmp_path)
    assert not [path for path in tmp_path.iterdir() if path.is_file()]


@pytest.mark.parametrize("format", ["keras", "checkpoint"])
@pytest.mark.parametrize("edition", ["tf2.15", "keras3"])
def test_a_wrapper_is_refused_as_source_and_as_target(edition: str, format: str, tmp_path: Path) -> None:
    plain, wrapper = f"tf2.12/files/adam/defaults-{format}", f"{edition}/files/lossscaleoptimizer/adam-{format}"
    for source, target in ((plain, wrapper), (wrapper, plain)):
        (folder := tmp_path / source.split("/")[2]).mkdir()
        given = {"source_edition": source.split("/")[0], "target_edition": target.split("/")[0], "optimizer": "Adam"}
        with pytest.raises(ConversionError, match="holds a LossScaleOptimizer, expected an optimizer that wraps none"):
            carried(source, target, folder, **given)


def test_a_decay_of_the_learning_rate_is_not_lost_in_silence(tmp_path: Path) -> None:
    with pytest.raises(ConversionError, match=r"decay=0\.5 can't be carried: SGD of keras3 has no such argument"):
        carried(
            "tf2.4/files/sgd/momentum=0.9-checkpoint",
            "keras3/files/sgd/momentum=0.9-checkpoint",
            tmp_path,
            source_edition="tf2.4",
            target_edition="keras3",
            optimizer="SGD",
            config={"decay": 0.5, "momentum": 0.9},
        )


def test_a_schedule_is_carried(tmp_path: Path) -> None:
    _, output = carried("tf2.15/files/adam/schedule-h5", "tf2.4/files/adam/schedule-h5", tmp_path)
    rate = files.read(output).config["config"]["learning_rate"]  # type: ignore[index]
    assert rate["class_name"] == "ExponentialDecay"
    assert rate["config"]["initial_learning_rate"] == 0.125


def test_the_command_says_what_it_did(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    base = file("keras3/files/adam/defaults-keras", tmp_path / "new")
    source = file("tf2.15/files/adam/defaults-keras", tmp_path / "old")
    arguments = ["--into", str(base), "--output", str(tmp_path / "out.keras")]
    assert main(["convert", str(source), *arguments]) == 0
    assert "goes on: to the bit as tf2.15 would" in capsys.readouterr().out
    nadam = file("tf2.4/files/nadam/defaults-h5", tmp_path / "nadam")
    assert main(["convert", str(nadam), *arguments]) == 1
    assert "can't be carried" in capsys.readouterr().err
    assert main(["convert", str(tmp_path / "nothing.h5"), *arguments]) == 2
    assert "nothing.h5: expected a file that can be read" in capsys.readouterr().err


# ---- wrong conversions ------------------------------------------------------------------------------------------

Carried = tuple[list[str], list[str], list[str]]


def swapped(two: Any) -> None:
    """m of each variable becomes v, and v m."""
    for (kind, owner), held in two._slots.items():
        if kind == "m":
            other = two._slots["v", owner]
            held.value, other.value = other.value, held.value


def of_the_other_variable(two: Any) -> None:
    """Two variables of one shape exchange their m."""
    first, second = (held for (kind, _), held in two._slots.items() if kind == "m")
    first.value, second.value = second.value, first.value


def one_late(two: Any) -> None:
    two.iterations.assign(two.iterations.value + 1)


def one_early(two: Any) -> None:
    two.iterations.assign(two.iterations.value - 1)


def without_the_step(two: Any) -> None:
    two.iterations.assign(np.int64(0))


def without_the_rate(two: Any) -> None:
    """The learning rate of the config, and not the one that was set since."""
    two._learning_rate.assign(np.float32(0.001))


def without_v(two: Any) -> None:
    for (kind, _), held in two._slots.items():
        if kind == "v":
            held.assign(np.zeros(held.shape, np.float32))


WRONG = [swapped, of_the_other_variable, one_late, one_early, without_the_step, without_the_rate, without_v]


@pytest.mark.parametrize("wrong", [None, *WRONG])
def test_a_wrong_mapping_of_the_slots_is_seen_by_the_comparison_of_both_runs(
    wrong: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every conversion is played on both sides before it is written: one whose mapping is wrong is not."""
    module = importlib.import_module("goldenstep.reference.formats.convert")
    right = module.carry

    def carry(one: Any, two: Any, before: Any, after: Any) -> Carried:
        done: Carried = right(one, two, before, after)
        if wrong:
            wrong(two)
        return done

    monkeypatch.setattr(module, "carry", carry)
    source, target = (tmp_path / edition for edition in ("tf2.15", "keras3"))
    for edition, path in (("tf2.15", source), ("keras3", target)):
        variables = [Variable(np.ones(2, np.float32), f"w{i}") for i in range(2)]
        optimizer = namespace(edition).Adam(learning_rate=0.001)
        rng = np.random.default_rng(1)
        for _ in range(3):
            optimizer.apply_gradients([(rng.normal(0, 1, 2).astype(np.float32), v) for v in variables])
        optimizer.learning_rate = 0.125
        files.write_checkpoint(path, optimizer, {f"variables/{i}": v for i, v in enumerate(variables)})
    given: dict[str, Any] = {"source_edition": "tf2.15", "target_edition": "keras3", "optimizer": "Adam"}
    if wrong is None:
        assert convert(source, target, tmp_path / "new", **given).difference == 0
        assert (tmp_path / "new.index").exists()
        return
    with pytest.raises(ConversionError, match="does not go on alike"):
        convert(source, target, tmp_path / "new", **given)
    assert not (tmp_path / "new.index").exists()
