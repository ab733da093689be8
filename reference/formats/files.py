"""Files that carry an optimizer, whatever their format: read them, and restore an optimizer from them.

    saved = files.read("model.keras")           # config, weights, version
    files.restore("model.keras", optimizer, variables)

hdf5.py           .h5 and .weights.h5, read by a process of its own (hdf5_child.py)
keras_archive.py  .keras
checkpoint_writer.py  TensorFlow checkpoints made of nothing
checkpoint.py     TensorFlow checkpoints: bundle.py (tensors by key), table.py (the index), object_graph.py, protobuf.py
saved.py          what all of them give
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from goldenstep.spec import saved_files as spec

from ..variable import Variable
from ..wrappers.base import Wrapper
from ..wrappers.loss_scale import DynamicLossScale, LossScaling
from . import checkpoint, checkpoint_writer, hdf5, keras_archive
from .errors import FileFormatError
from .saved import SavedOptimizer, Weight

if TYPE_CHECKING:
    from ..optimizer import Optimizer


def read(path: Path | str) -> SavedOptimizer:
    """The optimizer of a file; a checkpoint is named by its prefix or its index.

    Raises FileFormatError, naming the file and what was expected; nothing in the file is executed or imported.
    """
    path = Path(path)
    try:
        if path.exists() and not path.is_file() and path.suffix in (".keras", ".h5", ".hdf5"):
            raise FileFormatError(f"{path}: expected a file that can be read: it is a folder or a device")
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


def write(path: Path | str, saved: SavedOptimizer, base: Path | str) -> None:
    """Write a copy of the file `base` to `path` in which the optimizer is `saved`.

    `base` brings the model: a file of the same format which the release has written of a compiled model with the same
    class of optimizer; that of a checkpoint must have been built. Raises FileFormatError if it is none.
    """
    path, base = Path(path), Path(base)
    if base.suffix == ".keras":
        keras_archive.write(path, saved, base)
    elif base.suffix in (".h5", ".hdf5"):
        hdf5.write(path, saved, base)
    else:
        checkpoint.write(path, saved, base)


def write_checkpoint(
    path: Path | str, optimizer: Any, variables: Mapping[str, Variable], name: str = "optimizer"
) -> None:
    """Write the state of `optimizer` and of the variables that it trains as a TensorFlow checkpoint with prefix `path`.

    `variables` has each by the path of attributes under which `tf.train.Checkpoint` is to find it, in their order:
    `tf.train.Checkpoint(optimizer=optimizer, variables=[w, b]).restore(path)` finds `variables/0` and `variables/1`.
    """
    held = {place: Weight(variable.path, variable.value) for place, variable in variables.items()}
    saved = saved_from(optimizer, list(variables.values()))
    checkpoint_writer.write_new(path, saved, optimizer.edition, held, name)


def saved_from(optimizer: Any, variables: Sequence[Variable]) -> SavedOptimizer:
    """What a file is to hold of an optimizer that trains `variables`."""
    state = state_of(optimizer)
    labels = _labels(_inner(optimizer), variables) if hasattr(optimizer, "get_slot") else {}
    weights = [Weight(held.path, held.value, *labels.get(id(held), (None, None))) for held in state]
    return SavedOptimizer("memory", weights, _config_of(optimizer), beside=_beside(optimizer))


def _config_of(optimizer: Any) -> dict[str, Any]:
    """Class name and config, those of a wrapper as its release names it."""
    if not isinstance(optimizer, Wrapper):
        return {"class_name": optimizer.optimizer, "config": plain(optimizer.get_config())}
    from ..editions import namespace

    document: dict[str, Any] = namespace(optimizer.edition.removesuffix(".legacy")).serialize(optimizer)
    return {"class_name": document["class_name"], "config": plain(document["config"])}


def _labels(optimizer: Any, variables: Sequence[Variable]) -> dict[int, tuple[str, str | None]]:
    """Slot and variable of every array of OptimizerV2's state."""
    labels: dict[int, tuple[str, str | None]] = {id(optimizer.iterations): ("iter", None)}
    owners: dict[int | None, str | None] = {id(variable): variable.name.removesuffix(":0") for variable in variables}
    for name, symbol in optimizer._symbols().items():
        found = [(held, owner) for (kind, owner), held in optimizer._slots.items() if kind == symbol]
        labels.update({id(held): (name, owners.get(owner)) for held, owner in found})
    return labels


def state_of(optimizer: Any) -> list[Variable]:
    """The public state of an optimizer of any edition, in its own order."""
    variables = optimizer.variables
    return list(variables() if callable(variables) and not isinstance(variables, list) else variables)


def held_by(format: str, optimizer: Any) -> list[Variable]:
    """The state of an optimizer that a file of a format has: all of it but where what is wrapped is omitted."""
    state, wrapper = state_of(optimizer), optimizer
    if format not in spec.formats():
        return state
    while isinstance(wrapper, Wrapper) and hasattr(wrapper, "inner_optimizer"):
        wrapper = wrapper.inner_optimizer
    if type(wrapper).__name__ not in spec.omits(format, optimizer.edition):
        return state
    inside = {id(variable) for one in wrapper.optimizers for variable in one.variables}
    return [variable for variable in state if id(variable) not in inside]


def _beside(optimizer: Any) -> dict[str, np.ndarray]:
    """What a checkpoint has beside the state: hyperparameters, the learning rate, Nadam's product, the loss scale."""
    scale = {name: held.value for name, held in _scale(optimizer).items()}
    optimizer = _inner(optimizer)
    if isinstance(optimizer, Wrapper):
        inner = getattr(optimizer, checkpoint.INSIDE, None)
        lost = {} if inner is None else _beside(inner)
        return scale | {f"{checkpoint.INSIDE}/{n}": v for n, v in lost.items() if n.endswith("_u_product")}
    if hasattr(optimizer, "_hyper"):
        optimizer._create_hypers()
        found = {name: held.value for name, held in optimizer._hyper.items() if hasattr(held, "value")}
    else:
        rate = optimizer._learning_rate
        found = {_name_of_rate(optimizer): rate.value} if hasattr(rate, "value") else {}
        product = getattr(optimizer, "_u_product", None)
        found |= {} if product is None else {"_u_product": product.value}
    found |= scale
    return {name: np.asarray(value) for name, value in found.items() if isinstance(value, np.generic | np.ndarray)}


def _name_of_rate(optimizer: Any) -> str:
    """Under what name a successor of OptimizerV2 keeps its learning rate."""
    return "_learning_rate" if getattr(optimizer, "_schedule", None) is None else "_current_learning_rate"


def plain(value: Any) -> Any:
    """A config as JSON has it: numpy's numbers as Python's, a schedule as its class name and config."""
    if isinstance(value, dict):
        return {name: plain(x) for name, x in value.items()}
    if isinstance(value, list | tuple):
        return [plain(x) for x in value]
    if hasattr(value, "get_config"):
        return {"class_name": type(value).__name__, "config": plain(value.get_config())}
    return value.item() if isinstance(value, np.generic | np.ndarray) else value


def put(saved: SavedOptimizer, optimizer: Any, variables: Sequence[Variable]) -> list[np.ndarray]:
    """Overwrite the state of `optimizer`, made for `variables`, by what was saved; returns it, in its own order."""
    if not saved.weights:
        return []
    inner = _inner(optimizer)
    if hasattr(inner, "_create_all_weights"):
        inner._create_all_weights(variables)
    else:
        inner.build(variables)
    state = held_by(saved.format, optimizer)
    targets = _by_name(saved, inner, variables) if any(w.slot for w in saved.weights) else state
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
        if name in checkpoint.SCALE:
            _put_scale(optimizer, name, value)
        else:
            _put_beside(inner, name, value)
    values = {id(target): weight.value for target, weight in zip(targets, saved.weights, strict=True)}
    return [values[id(held)] for held in state]


def _inner(optimizer: Any) -> Any:
    """What a wrapper of Keras 2 wraps, whose state is that of the wrapper; any other optimizer as it is."""
    return optimizer._optimizer if isinstance(optimizer, LossScaling) else optimizer


def _by_name(saved: SavedOptimizer, optimizer: Any, variables: Sequence[Variable]) -> list[Variable]:
    """The variables of the state that the slots of a checkpoint belong to."""
    owners = {variable.name.removesuffix(":0"): variable for variable in variables}
    return [_target(weight, optimizer, owners) for weight in saved.weights]


def _target(weight: Weight, optimizer: Any, owners: dict[str, Variable]) -> Variable:
    if weight.slot == "iter":
        counter: Variable = optimizer.iterations
        return counter
    if weight.variable is None:
        key = optimizer._symbols().get(weight.slot), None
        if key not in optimizer._slots:
            raise FileFormatError(f"{weight.name}: {type(optimizer).__name__} has no {weight.slot}")
        once: Variable = optimizer._slots[key]
        return once
    if weight.variable not in owners:
        raise FileFormatError(f"{weight.name}: a slot of {weight.variable}, expected one of {sorted(owners)}")
    try:
        slot: Variable = optimizer.get_slot(owners[weight.variable], weight.slot)
    except KeyError as error:
        names = optimizer.get_slot_names()
        raise FileFormatError(f"{weight.name}: the slot {weight.slot}, expected one of {names}") from error
    return slot


def _scale(optimizer: Any) -> dict[str, Variable]:
    """A loss scale that moves, and its counter, as a checkpoint calls them; nothing of any other optimizer."""
    held = getattr(optimizer, "_loss_scale", None)
    if not isinstance(held, DynamicLossScale):
        return {}
    return dict(zip(checkpoint.SCALE, (held.current_loss_scale, held.counter), strict=True))


def _put_scale(optimizer: Any, name: str, value: np.ndarray) -> None:
    """The loss scale, or its counter, of a wrapper whose scale moves; any other optimizer has no use for it."""
    target = _scale(optimizer).get(name)
    if target is None:
        return
    if target.shape != value.shape or target.dtype != value.dtype:
        raise FileFormatError(
            f"{name}: shape {value.shape} and dtype {value.dtype}, expected shape () and dtype {target.dtype}"
        )
    target.assign(value)


def _put_beside(optimizer: Any, name: str, value: np.ndarray) -> None:
    """A hyperparameter of OptimizerV2; the learning rate or Nadam's product of its successors.

    What another kind of learning rate left, a schedule or a number, has no place: that of the optimizer stays.
    """
    while name.startswith(f"{checkpoint.INSIDE}/") and isinstance(optimizer, Wrapper):
        optimizer, name = getattr(optimizer, checkpoint.INSIDE), name.removeprefix(f"{checkpoint.INSIDE}/")
    targets = {"_u_product": "_u_product", _name_of_rate(optimizer): "_learning_rate"}
    try:
        if name in targets:
            target = getattr(optimizer, targets[name], None)
            if isinstance(target, Variable):
                target.assign(value)
        elif isinstance(getattr(optimizer, "_hyper", {}).get(name), Variable) and value.shape == ():
            setattr(optimizer, name, value[()].item())
    except ValueError as error:
        raise FileFormatError(f"{name}: {error}") from error
