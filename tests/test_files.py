"""Files that carry an optimizer: what the real releases wrote is read; what is no such file is refused."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from goldenstep import spec
from goldenstep.conformance.files import laid_out
from goldenstep.conformance.keras_shaped import reference
from goldenstep.conformance.written_files import another, written
from goldenstep.golden import files, saved_files
from goldenstep.golden.codec import flat
from goldenstep.golden.compare import compare
from goldenstep.golden.file_compare import expected_state, held, lost
from goldenstep.reference.formats import bundle, checkpoint_writer, slices_of_tensors
from goldenstep.reference.formats import files as formats
from goldenstep.reference.formats.crc32c import LANES, crc32c, masked
from goldenstep.reference.formats.errors import FileFormatError
from goldenstep.reference.formats.saved import SavedOptimizer, Weight
from goldenstep.reference.formats.table import entries, table
from goldenstep.spec import saved_files as spec_files
from goldenstep.spec import wrapper as wrapper_spec

Document = dict[str, Any]
GOLDENS = {
    golden["case"]["id"]: golden
    for edition in spec.editions()
    for golden in files.goldens(files.path_of(edition, "files"))
}


def read(identity: str, folder: Path) -> Any:
    return formats.read(laid_out(GOLDENS[identity]["case"], saved_files.members(identity), folder))


@pytest.mark.parametrize("name", spec_files.formats())
def test_a_format_satisfies_its_schema(name: str) -> None:
    document = spec_files.formats()[name]
    spec.validate(document, "file_format", name)
    assert document["name"] == name
    assert {e for c in document["clauses"] for e in c.get("editions", ())} <= set(document["editions"])


def test_every_clause_of_a_format_has_a_case_and_a_name_of_its_own() -> None:
    stated = [c["id"] for document in spec_files.formats().values() for c in document["clauses"]]
    assert len(set(stated)) == len(stated)
    assert set(stated) == {clause for golden in GOLDENS.values() for clause in golden["case"]["clauses"]}


@pytest.mark.parametrize("edition", spec.editions())
def test_recorded_files_are_the_ones_that_the_goldens_name(edition: str) -> None:
    goldens = [golden for golden in GOLDENS.values() if golden["case"]["edition"] == edition]
    assert set(saved_files.everything(saved_files.path_of(edition))) == {golden["case"]["id"] for golden in goldens}
    for golden in goldens:
        written = saved_files.members(golden["case"]["id"])
        assert saved_files.digests(written) == golden["trajectory"]["members"]


@pytest.mark.parametrize("format", spec_files.formats())
def test_what_the_specification_says_of_restoring_is_what_the_releases_did(format: str) -> None:
    """Nadam's product of momenta is lost in some formats (E-027); there the run goes on differently."""
    seen: dict[str, set[str]] = {}
    for golden in GOLDENS.values():
        case, trajectory = golden["case"], golden["trajectory"]
        others = case["trained"]["class_name"] in ("Nadam", *wrapper_spec.wrappers()) or "into" in case
        if case["file"] == format and not others:
            same = trajectory["resumed"] == "uninterrupted"
            seen.setdefault(case["edition"], set()).add(
                "nothing" if "error" in trajectory else "state" if same else "config"
            )
    stated = {e: {entry["restores"]} for e, entry in spec_files.formats()[format]["editions"].items()}
    stateless = {e: {"state", "config"} for e in seen if stated[e] == {"config"}}
    assert {e: kinds for e, kinds in seen.items() if e not in stateless} == {
        e: kinds for e, kinds in stated.items() if e not in stateless
    }
    assert all("config" in seen[e] for e in stateless)


@pytest.mark.parametrize("edition", spec.editions())
def test_every_file_gives_the_state_and_config_that_were_saved(edition: str, tmp_path: Path) -> None:
    for identity, golden in GOLDENS.items():
        case, trajectory = golden["case"], golden["trajectory"]
        if case["edition"] != edition:
            continue
        saved = read(identity, tmp_path)
        expected = expected_state(case, trajectory)
        found = [flat(weight.value) for weight in saved.weights]
        assert sorted(map(str, found)) == sorted(map(str, expected)), identity
        if case["file"] != "checkpoint" or not edition.endswith(("legacy", "2.4")):
            assert found == expected, identity
        if case["file"] in ("h5", "keras"):
            name = case["trained"]["class_name"]
            wrapper = wrapper_spec.wrappers().get(name)
            name = wrapper["editions"][edition]["class"] if wrapper else name
            assert saved.config["class_name"].removeprefix("Custom>") == name
            numbers = {n: v for n, v in trajectory["config"].items() if not isinstance(v, dict | list)}
            assert {n: v for n, v in saved.config["config"].items() if n in numbers} == numbers, identity
            assert saved.version.startswith(edition.removesuffix(".legacy").replace("tf", "").replace("keras", ""))


# ---- optimizers that wrap others --------------------------------------------------------------------------------

WRAPPED = {i: g for i, g in GOLDENS.items() if g["case"]["trained"]["class_name"] in wrapper_spec.wrappers()}


@pytest.mark.parametrize("identity", WRAPPED)
def test_what_the_releases_restored_of_a_wrapper_is_what_the_specification_says(identity: str) -> None:
    """What is inside goes on, or starts anew where it is lost; a scale outside of the state is in checkpoints only."""
    case, trajectory = WRAPPED[identity]["case"], WRAPPED[identity]["trajectory"]
    assert ("error" in trajectory) == (held(case)["restores"] == "nothing")
    if "error" in trajectory:
        return
    resumed = trajectory["uninterrupted"] if trajectory["resumed"] == "uninterrupted" else trajectory["resumed"]

    def restored(which: list[int]) -> bool:
        pairs = list(zip(trajectory["uninterrupted"], resumed, strict=True))
        return all(a["state"][i] == b["state"][i] for a, b in pairs for i in which)

    hidden = [i for i, entry in enumerate(trajectory["layout"]) if entry["name"].startswith("_")]
    shown = [i for i in range(len(trajectory["layout"])) if i not in hidden]
    count = spec_files.arrays(case["file"], case["edition"], case["trained"])
    assert restored(shown[:count]) == (held(case)["restores"] == "state" and not lost(case))
    if hidden:
        assert restored(hidden) == (case["file"] == "checkpoint")
    if count is not None:
        assert 0 < count < len(shown)
        assert not restored(shown[count:])


@pytest.mark.parametrize("chooser", ["map", "one-of-three", "function"])
def test_a_checkpoint_of_a_multi_optimizer_is_read_as_far_as_it_goes_and_not_written(
    chooser: str, tmp_path: Path
) -> None:
    golden = WRAPPED[f"keras3/files/multioptimizer/{chooser}-checkpoint"]
    saved = read(golden["case"]["id"], tmp_path)
    assert [weight.name for weight in saved.weights] == ["multi_optimizer/iteration", "multi_optimizer/learning_rate"]
    implementation, case = reference(), {**golden["case"], "events": []}
    variables = implementation.variables(case)
    optimizer = implementation.construct({**case, "optimizer": case["trained"]})
    given = formats.restore(next(tmp_path.glob("*.index")), optimizer, variables)
    assert [value.tolist() for value in given] == [3, 0.0]
    assert [int(inner.iterations.value) for inner in optimizer.optimizers] == [0] * len(optimizer.optimizers)
    with pytest.raises(FileFormatError, match="no place for the optimizers in a MultiOptimizer"):
        formats.write_checkpoint(
            tmp_path / "new", optimizer, {"variables/0": variables[0], "variables/1": variables[1]}
        )
    with pytest.raises(FileFormatError, match="has 2 arrays of state, expected"):
        formats.write(tmp_path / "new", formats.saved_from(optimizer, variables), tmp_path / "model-1")
    assert not list(tmp_path.glob("new*"))


def test_a_map_of_other_patterns_takes_no_config(tmp_path: Path) -> None:
    identity = "keras3/files/multioptimizer/map-keras"
    base = laid_out(GOLDENS[identity]["case"], saved_files.members(identity), tmp_path)
    saved = formats.read(base)
    assert saved.config
    patterns = saved.config["config"]["optimizer_map"]["config"]["optimizer_map"]
    assert [document["class_name"] for document in patterns.values()] == ["Adam"]
    patterns["other"] = patterns[".*kernel"]
    with pytest.raises(FileFormatError, match=r"optimizer_map=.*expected \['.\*kernel', 'other'\]"):
        formats.write(tmp_path / "new.keras", saved, base)


@pytest.mark.parametrize(
    "identity",
    [i for i in WRAPPED if i.endswith(("/adam-checkpoint", "/dynamic-adam-checkpoint")) and "keras3" not in i],
)
def test_the_scale_of_a_checkpoint_is_read_and_a_wrong_one_is_seen(identity: str, tmp_path: Path) -> None:
    golden = WRAPPED[identity]
    saved = read(identity, tmp_path)
    scale = [saved.beside["loss_scale/current_loss_scale"], saved.beside["loss_scale/good_steps"]]
    assert [(value.dtype.name, value.tolist()) for value in scale] == [("float32", 16.0), ("int64", 1)]
    got = reference().run(golden["case"])
    assert compare(golden["case"], golden["trajectory"], got).divergence is None
    got["resumed"][0]["state"][-2] = [8.0]
    assert "_loss_scale" in str(compare(golden["case"], golden["trajectory"], got).divergence)


def test_a_scale_of_another_dtype_is_refused(tmp_path: Path) -> None:
    identity = "tf2.15/files/lossscaleoptimizer/adam-checkpoint"
    path = laid_out(GOLDENS[identity]["case"], saved_files.members(identity), tmp_path)
    tensors = bundle.read(tmp_path / path.stem)
    tensors["optimizer/loss_scale/current_loss_scale/.ATTRIBUTES/VARIABLE_VALUE"] = np.asarray([16.0])
    bundle.write(tmp_path / path.stem, tensors)
    implementation, case = reference(), {**GOLDENS[identity]["case"], "events": []}
    optimizer = implementation.construct({**case, "optimizer": case["trained"]})
    with pytest.raises(FileFormatError, match=r"loss_scale/current_loss_scale: shape \(1,\) and dtype float64"):
        formats.restore(path, optimizer, implementation.variables(case))


@pytest.mark.parametrize("format", ["keras", "weights.h5"])
def test_state_that_a_file_has_twice_is_given_once(format: str, tmp_path: Path) -> None:
    for edition, inner in (("tf2.12", "_optimizer"), ("tf2.15", "inner_optimizer"), ("keras3", "inner_optimizer")):
        identity = f"{edition}/files/lossscaleoptimizer/sgd-{format}"
        (folder := tmp_path / edition).mkdir()
        path = laid_out(GOLDENS[identity]["case"], saved_files.members(identity), folder)
        if format == "keras":
            with zipfile.ZipFile(path) as archive:
                path = Path(archive.extract("model.weights.h5", folder))
        with h5py.File(path) as file:
            assert len(file[f"optimizer/{inner}/vars"])
        names = [weight.name for weight in formats.read(path).weights]
        assert names == [f"optimizer/vars/{index}" for index in range(8 if edition == "keras3" else 3)]


@pytest.mark.parametrize("format", spec_files.formats())
def test_a_wrong_state_is_seen(format: str) -> None:
    """One number that is read wrongly, or one array too few, and the verdict is no longer exact."""
    golden = next(g for g in GOLDENS.values() if g["case"]["file"] == format and g["case"]["edition"] == "keras3")
    got = reference().run(golden["case"])
    assert compare(golden["case"], golden["trajectory"], got).divergence is None
    wrong = json.loads(json.dumps(got))
    wrong["state"][-1][0] = float(np.nextafter(np.float32(wrong["state"][-1][0]), np.float32(9)).astype(str))
    assert "ulp" in str(compare(golden["case"], golden["trajectory"], wrong).divergence)
    short = {**got, "state": got["state"][:-1]}
    assert "number of arrays" in str(compare(golden["case"], golden["trajectory"], short).divergence)
    late = json.loads(json.dumps(got))
    late["resumed"][-1]["variables"][0][0] += 1.0
    assert "step 5" in str(compare(golden["case"], golden["trajectory"], late).divergence)


def test_the_checksum_is_that_of_the_rfc_and_the_same_in_lanes_and_byte_by_byte() -> None:
    assert crc32c(b"123456789") == 0xE3069283
    assert crc32c(bytes(32)) == 0x8A9136AA
    data = np.random.default_rng(0).bytes(LANES * 64 + 1001)
    crc = 0xFFFFFFFF
    for count, byte in enumerate(data):
        if count == LANES + 1001:
            assert crc32c(data[:count]) == crc ^ 0xFFFFFFFF
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0x82F63B78 * (crc & 1)
    assert crc32c(data) == crc ^ 0xFFFFFFFF
    assert masked(b"") == 0xA282EAD8


def test_a_table_of_many_blocks_is_read_as_it_was_written() -> None:
    content = {f"key/{number:05}".encode(): b"v" * (number % 97) for number in range(9000)}
    assert entries(table(content)) == content


# ---- no such file ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["model.h5", "model.keras", "model.index"])
def test_a_file_that_is_not_there_is_named(name: str, tmp_path: Path) -> None:
    why = "there is none" if name.endswith(".index") else "No such file or directory"
    with pytest.raises(FileFormatError, match=rf"{name}: expected a file that can be read: {why}$"):
        formats.read(str(tmp_path / name))


@pytest.mark.parametrize("name", ["model.h5", "model.keras", "model.index"])
def test_a_file_of_something_else_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"\x80\x04\x95 a pickle, perhaps" * 9)
    with pytest.raises(FileFormatError, match=rf"{name}: expected"):
        formats.read(tmp_path / name)


# ---- writing --------------------------------------------------------------------------------------------------

HELD = [
    golden
    for golden in GOLDENS.values()
    for case in [golden["case"]]
    if held(case)["holds"] == "state" and spec_files.arrays(case["file"], case["edition"], case["trained"]) is None
]


@pytest.mark.parametrize("edition", spec.editions())
def test_a_file_that_is_written_anew_is_the_one_that_the_release_wrote(edition: str, tmp_path: Path) -> None:
    """Names, order, values and config are those of the recorded file, although all come from the reference."""
    implementation = reference()
    for index, golden in enumerate(g for g in HELD if g["case"]["edition"] == edition):
        (folder := tmp_path / str(index)).mkdir()
        path = written(implementation, golden["case"], False, folder)
        again, recorded = formats.read(path), formats.read(folder / path.name)
        for a, b in zip(again.weights, recorded.weights, strict=True):
            assert (a.name, a.slot, a.variable, a.value.dtype) == (b.name, b.slot, b.variable, b.value.dtype)
            assert a.value.tobytes() == b.value.tobytes()
        assert again.config == recorded.config or golden["case"]["trained"]["class_name"] == "Muon"
        assert {n: v.tobytes() for n, v in again.beside.items()} == {n: v.tobytes() for n, v in recorded.beside.items()}


@pytest.mark.parametrize("format", spec_files.formats())
def test_another_state_takes_the_place_of_the_one_before(format: str, tmp_path: Path) -> None:
    golden = next(g for g in HELD if g["case"]["file"] == format and g["case"]["trained"]["class_name"] == "Adam")
    path = written(reference(), golden["case"], True, tmp_path)
    for a, b in zip(formats.read(path).weights, formats.read(tmp_path / path.name).weights, strict=True):
        assert np.array_equal(a.value, another(b.value))
        assert not np.array_equal(a.value, b.value)


@pytest.mark.parametrize("edition", ["tf2.4", "tf2.15"])
def test_what_is_beside_the_state_takes_the_place_of_the_one_before(edition: str, tmp_path: Path) -> None:
    golden = GOLDENS[f"{edition}/files/lossscaleoptimizer/adam-checkpoint"]
    path = written(reference(), golden["case"], True, tmp_path)
    before, after = (formats.read(place).beside for place in (tmp_path / path.name, path))
    assert {"loss_scale/current_loss_scale", "loss_scale/good_steps"} < set(before)
    assert {name: value.tolist() for name, value in after.items()} == {
        name: another(value).tolist() for name, value in before.items()
    }


def test_a_file_of_another_class_takes_no_config(tmp_path: Path) -> None:
    adam, sgd = (f"keras3/files/{name}/defaults-keras" for name in ("adam", "sgd"))
    base = laid_out(GOLDENS[adam]["case"], saved_files.members(adam), tmp_path)
    (tmp_path / "sgd").mkdir()
    with pytest.raises(FileFormatError, match="saved with Adam, expected SGD"):
        formats.write(str(tmp_path / "new.keras"), read(sgd, tmp_path / "sgd"), str(base))


def test_a_long_list_of_names_is_written_in_pieces(tmp_path: Path) -> None:
    identity = "tf2.15/files/adam/defaults-h5"
    base = laid_out(GOLDENS[identity]["case"], saved_files.members(identity), tmp_path)
    weights = [
        Weight(f"Adam/a/long/name/of/a/layer/number/{i}/kernel:0", np.array([i], np.float32)) for i in range(3000)
    ]
    formats.write(tmp_path / "many.h5", SavedOptimizer("h5", weights), base)
    again = formats.read(tmp_path / "many.h5").weights
    assert [(w.name, w.value[0]) for w in again] == [(w.name, w.value[0]) for w in weights]


# ---- checkpoints of several shards, and made of nothing ---------------------------------------------------------


@pytest.mark.parametrize("size", [16, 64])
def test_tensors_in_slices_are_put_together(size: int, tmp_path: Path) -> None:
    identity = f"keras3/files/adam/shards-of-{size}-bytes-checkpoint"
    members = saved_files.members(identity)
    assert sum(".data-" in name for name in members) >= 2
    path = laid_out(GOLDENS[identity]["case"], members, tmp_path)
    content = entries(path.read_bytes())
    assert sum(key.startswith(b"\0") for key in content) > (2 if size == 16 else -1)
    state = [flat(weight.value) for weight in formats.read(path).weights]
    assert state == GOLDENS[identity]["trajectory"]["state"]


def test_a_key_of_a_slice_sorts_as_its_numbers_do() -> None:
    numbers = [-9000, -65, -64, -1, 0, 1, 63, 64, 8191, 8192, 1 << 20, 1 << 40, (1 << 62) - 1]
    keys = [slices_of_tensors.key(b"m", [(number, 1)]) for number in numbers]
    assert keys == sorted(keys)
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize(
    ("places", "message"),
    [
        ([[(0, 2)]], "every element"),
        ([[(0, 2)], [(1, 2)]], "overlap"),
        ([[(0, 4)]], "inside the shape"),
        ([[(0, 3), (0, 1)]], "one extent for each dimension"),
        ([[(0, -1)], [(0, 0)]], None),
    ],
)
def test_slices_must_cover_a_tensor_once(places: list[Any], message: str | None) -> None:
    def piece(place: Any) -> np.ndarray:
        start, length = place[0]
        return np.arange(start, 3 if length == -1 else start + length, dtype=np.float32)

    shape = (4,) if message == "overlap" else (3,)
    if message is None:
        whole = slices_of_tensors.assembled(shape, np.dtype(np.float32), places, piece)
        assert whole.tolist() == [0, 1, 2]
        return
    with pytest.raises(FileFormatError, match=message):
        slices_of_tensors.assembled(shape, np.dtype(np.float32), places, piece)


def test_tensors_that_overlap_are_refused(tmp_path: Path) -> None:
    bundle.write(tmp_path / "model", {"a": np.zeros(100, np.float32)})
    content = entries((tmp_path / "model.index").read_bytes())
    many = {b"": content[b""], **{b"%05d" % count: content[b"a"] for count in range(1000)}}
    (tmp_path / "model.index").write_bytes(table(many))
    with pytest.raises(FileFormatError, match="400000 bytes, the data beside the index are 400"):
        bundle.read(tmp_path / "model")


@pytest.mark.parametrize("edition", spec.editions())
def test_a_checkpoint_of_nothing_gives_the_state_back(edition: str, tmp_path: Path) -> None:
    from goldenstep.reference import Variable
    from goldenstep.reference.editions import namespace

    rng = np.random.default_rng(0)
    for name in spec.available(edition):
        shapes = {"kernel": (2, 3), "bias": (3,)}
        starts = {key: rng.normal(0, 1, shape).astype(np.float32) for key, shape in shapes.items()}
        variables = [Variable(start, key) for key, start in starts.items()]
        others = [Variable(start, key) for key, start in starts.items()]
        optimizer, another_one = (getattr(namespace(edition), name)(learning_rate=0.25) for _ in range(2))
        for _ in range(3):
            gradients = [rng.normal(0, 1, v.shape).astype(np.float32) for v in variables]
            optimizer.apply_gradients(list(zip(gradients, variables, strict=True)))
        prefix = tmp_path / name
        formats.write_checkpoint(prefix, optimizer, {f"variables/{i}": v for i, v in enumerate(variables)})
        kept = formats.read(prefix).variables
        assert {key: value.tolist() for key, value in kept.items()} == {
            v.path.removesuffix(":0"): v.value.tolist() for v in variables
        }
        formats.restore(prefix, another_one, others)
        before = [v.value.tolist() for v in formats.state_of(optimizer)]
        assert [v.value.tolist() for v in formats.state_of(another_one)] == before
        assert any(np.any(np.asarray(value)) for value in before[1:]) or len(before) < 3


def test_a_slot_of_a_variable_that_is_not_written_is_refused(tmp_path: Path) -> None:
    weights = [Weight("Adam/w/m:0", np.zeros(2, np.float32), "m", "w")]
    saved = SavedOptimizer("memory", weights, {"class_name": "Adam", "config": {}})
    with pytest.raises(FileFormatError, match="a slot of w, expected one of \\['bias'\\]"):
        checkpoint_writer.write_new(tmp_path / "m", saved, "tf2.4", {"b": Weight("bias", np.zeros(2, np.float32))})
    unlabelled = SavedOptimizer("memory", [Weight("Adam/w/m:0", np.zeros(2, np.float32))], saved.config)
    with pytest.raises(FileFormatError, match="expected the name of a slot"):
        checkpoint_writer.write_new(tmp_path / "m", unlabelled, "tf2.4", {})
    unknown = SavedOptimizer("memory", [Weight("Adam/w/z", np.zeros(2, np.float32))], saved.config)
    with pytest.raises(FileFormatError, match="expected a slot that is one of"):
        checkpoint_writer.write_new(tmp_path / "m", unknown, "tf2.9", {})
