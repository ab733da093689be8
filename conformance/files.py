"""File cases on a module shaped like Keras: a recorded file, from which a new optimizer goes on."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from goldenstep.golden import saved_files
from goldenstep.golden.codec import flat, unflat
from goldenstep.spec import saved_files as spec

from . import schedules, wrappers

if TYPE_CHECKING:
    from .keras_shaped import KerasShaped

Document = dict[str, Any]


def unsupported(implementation: KerasShaped, case: Document) -> str | None:
    """None if the implementation can restore the optimizer of a case from a file, otherwise why not."""
    if implementation.restore is None:
        return "no restore_optimizer"
    missing = wrappers.unsupported(implementation, as_optimizer_case(case))
    if missing:
        return missing
    return schedules.unsupported(implementation, as_optimizer_case(case))


def as_optimizer_case(case: Document) -> Document:
    """The case as one of an optimizer, to be constructed."""
    return {**case, "optimizer": case["trained"], "events": []}


def restored_case(case: Document) -> Document:
    """The case as one of the optimizer that the file is restored to, to be constructed."""
    config = case.get("into", case["trained"]["config"])
    return as_optimizer_case({**case, "trained": {**case["trained"], "config": config}})


def answer(implementation: KerasShaped, case: Document) -> Document:
    """The answer to a file case: the state that the file holds, and the steps of the run that goes on from it."""
    stage = "restore"
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = laid_out(case, members_of(case), Path(folder))
            variables = implementation.variables(case)
            trained(implementation, case, implementation.construct(as_optimizer_case(case)), variables, True)
            optimizer = implementation.construct(restored_case(case))
            assert implementation.restore is not None
            state = [flat(np.asarray(value)) for value in implementation.restore(path, optimizer, variables)]
        stage = "apply"
        held = spec.formats()[case["file"]]["editions"][case["edition"]]
        goes_on = held["holds"] == "state" or held["restores"] == "config"
        resumed = trained(implementation, case, optimizer, variables, False) if goes_on else []
    except Exception as exception:  # whatever it raises is its answer
        return {"id": case["id"], "state": [], "resumed": [], "error": {"stage": stage, **schedules.error(exception)}}
    return {"id": case["id"], "state": state, "resumed": resumed}


def members_of(case: Document) -> saved_files.Members:
    """The files of a case by name: those that it brings, or those that the release wrote."""
    return saved_files.decoded(case["members"]) if "members" in case else saved_files.members(case["id"])


def places(case: Document) -> list[str]:
    """Where a checkpoint of the model of the cases has its variables."""
    names = [variable["name"] for variable in case["variables"]]
    if case["edition"] == "keras3":
        return names
    layers = list(dict.fromkeys(name.rpartition("/")[0] for name in names))
    numbers = [layers.index(name.rpartition("/")[0]) for name in names]
    return [f"model/layer_with_weights-{n}/{name.rpartition('/')[2]}" for n, name in zip(numbers, names, strict=True)]


def laid_out(case: Document, members: saved_files.Members, folder: Path) -> Path:
    """Write the files of a case into a folder; the path of the one to open."""
    for name, data in members.items():
        (folder / name).write_bytes(data)
    suffix = spec.formats()[case["file"]]["suffix"]
    return next(folder / name for name in members if name.endswith(suffix))


def trained(
    implementation: KerasShaped, case: Document, optimizer: Any, variables: list[Any], before: bool
) -> list[Document]:
    """The steps before or after the file was saved: every variable and the state after each."""
    from .keras_shaped import as_array, entries_of

    steps = []
    for count, gradients in enumerate(case["gradients"], 1):
        if (count <= case["saved_after"]) == before:
            arrays = [
                unflat(g, as_array(v).dtype, as_array(v).shape) for g, v in zip(gradients, variables, strict=True)
            ]
            pairs = zip(map(implementation.tensor, arrays), variables, strict=True)
            optimizer.apply_gradients(list(pairs))
            values = [flat(as_array(v)) for v in variables]
            state = [flat(as_array(v)) for _, v in entries_of(optimizer)]
            steps.append({"step": count, "variables": values, "state": state})
    return steps
