"""Files that carry an optimizer, whatever their format: read them, and restore an optimizer from them.

    saved = files.read("model.keras")           # config, weights, version
    files.restore("model.keras", optimizer, variables)

hdf5.py           .h5 and .weights.h5, read by a process of its own (hdf5_child.py)
keras_archive.py  .keras
checkpoint.py     TensorFlow checkpoints: bundle.py (tensors by key), table.py (the index), object_graph.py, protobuf.py
saved.py          what all of them give
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from . import checkpoint, hdf5, keras_archive
from .errors import FileFormatError
from .saved import SavedOptimizer, Weight

if TYPE_CHECKING:
    from ..optimizer import Optimizer
    from ..variable import Variable


def read(path: Path | str) -> SavedOptimizer:
    """The optimizer of a file; a checkpoint is named by its prefix or its index.

    Raises FileFormatError, naming the file and what was expected; nothing in the file is executed or imported.
    """
    path = Path(path)
    try:
        if path.suffix == ".keras":
            return keras_archive.read(path)
        if path.suffix in (".h5", ".hdf5"):
            return hdf5.read(path)
        return checkpoint.read(path)
    except OSError as error:
        raise FileFormatError(f"{path}: expected a file that can be read: {error.strerror or error}") from error


def restore(path: Path | str, optimizer: Optimizer, variables: Sequence[Variable]) -> list[np.ndarray]:
    """Give `optimizer`, which is to train `variables`, the state that a file holds; returns that state.

    Raises FileFormatError if the file's arrays are not those of this optimizer and these variables.
    """
    try:
        return put(read(path), optimizer, variables)
    except FileFormatError as error:
        raise FileFormatError(f"{path}: {str(error).removeprefix(f'{path}: ')}") from error


def put(saved: SavedOptimizer, optimizer: Any, variables: Sequence[Variable]) -> list[np.ndarray]:
    """Overwrite the state of `optimizer`, made for `variables`, by what was saved; returns it, in its own order."""
    if not saved.weights:
        return []
    if hasattr(optimizer, "_create_all_weights"):
        optimizer._create_all_weights(variables)
    else:
        optimizer.build(variables)
    state = optimizer.variables() if not isinstance(optimizer.variables, list) else optimizer.variables
    targets = _by_name(saved, optimizer, variables) if any(w.slot for w in saved.weights) else list(state)
    if len(saved.weights) != len(state) or {id(t) for t in targets} != {id(held) for held in state}:
        raise FileFormatError(f"{len(saved.weights)} arrays of state, expected {len(state)}: {[v.name for v in state]}")
    for target, weight in zip(targets, saved.weights, strict=True):
        if target.shape != weight.value.shape or target.dtype != weight.value.dtype:
            raise FileFormatError(
                f"{weight.name}: shape {weight.value.shape} and dtype {weight.value.dtype}, "
                f"expected shape {target.shape} and dtype {target.dtype}"
            )
    for target, weight in zip(targets, saved.weights, strict=True):
        target.assign(weight.value)
    for name, value in saved.beside.items():
        _put_beside(optimizer, name, value)
    values = {id(target): weight.value for target, weight in zip(targets, saved.weights, strict=True)}
    return [values[id(held)] for held in state]


def _by_name(saved: SavedOptimizer, optimizer: Any, variables: Sequence[Variable]) -> list[Variable]:
    """The variables of the state that the slots of a checkpoint belong to."""
    owners = {variable.name.removesuffix(":0"): variable for variable in variables}
    return [_target(weight, optimizer, owners) for weight in saved.weights]


def _target(weight: Weight, optimizer: Any, owners: dict[str, Variable]) -> Variable:
    if weight.slot == "iter":
        counter: Variable = optimizer.iterations
        return counter
    if weight.variable is None:
        once = [held for (_, owner), held in optimizer._slots.items() if owner is None]
        found = [held for held in once if held.name.endswith(f"{weight.slot}:0")]
        if not found:
            raise FileFormatError(f"{weight.name}: {type(optimizer).__name__} has no {weight.slot}")
        return found[0]
    if weight.variable not in owners:
        raise FileFormatError(f"{weight.name}: a slot of {weight.variable}, expected one of {sorted(owners)}")
    try:
        slot: Variable = optimizer.get_slot(owners[weight.variable], weight.slot)
    except KeyError as error:
        names = optimizer.get_slot_names()
        raise FileFormatError(f"{weight.name}: the slot {weight.slot}, expected one of {names}") from error
    return slot


def _put_beside(optimizer: Any, name: str, value: np.ndarray) -> None:
    """A hyperparameter of OptimizerV2; the learning rate or Nadam's product of its successors."""
    if name in ("_learning_rate", "_current_learning_rate"):
        optimizer._learning_rate.assign(value)
    elif name == "_u_product":
        optimizer._u_product.assign(value)
    elif name in getattr(optimizer, "_hyper", ()) and value.shape == ():
        setattr(optimizer, name, value[()].item())
