"""TensorFlow checkpoints that carry an optimizer, read without TensorFlow.

Source   tensorflow 2.4.4 to 2.21.0, tf.train.Checkpoint; seen in the files of every edition:

edition            the optimizer's children in the object graph                       the state, in order
tf2.4, .legacy     iter, the hyperparameters, scalars (momentum_cache); slots         iter, scalars, slots as they stand
tf2.9              _iterations, _learning_rate, lists such as _momentums              by attribute, alphabetically
tf2.12, tf2.15     _variables, _iterations, _learning_rate, _u_product, the lists     _variables
keras3             the same, and _trainable_variables: the model's                    _variables

A LossScaleOptimizer of Keras 2 has the children of the optimizer that it wraps, and loss_scale with current_loss_scale
and good_steps; that of Keras 3 has its own state, and the optimizer that it wraps as the child inner_optimizer.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from . import bundle, object_graph
from .errors import FileFormatError
from .object_graph import KEY, Node
from .saved import SavedOptimizer, Weight, is_number

INSIDE = "inner_optimizer"
DEEPEST = 32
SCALE = ("loss_scale/current_loss_scale", "loss_scale/good_steps")


def read(path: Path | str) -> SavedOptimizer:
    """The one optimizer of the checkpoint `path`.index (or `path` itself); FileFormatError, naming it, without one."""
    prefix = prefix_of(path)
    try:
        tensors, nodes = _content(prefix)
        return _described(nodes, _found(nodes), tensors)[0]
    except FileFormatError as error:
        raise FileFormatError(f"{prefix}.index: {error}") from error


def prefix_of(path: Path | str) -> Path:
    """A checkpoint by the path of one of its files is that path without the ending."""
    return Path(re.sub(r"\.(index|data-\d+-of-\d+)$", "", str(path)))


def _content(prefix: Path) -> tuple[dict[str, bundle.Tensor], list[Node]]:
    tensors = bundle.read(prefix)
    graph = tensors.get(KEY)
    if not isinstance(graph, bytes):
        raise FileFormatError(f"expected an object graph under {KEY}, as tf.train.Checkpoint writes it")
    return tensors, object_graph.parsed(graph)


def _found(nodes: list[Node]) -> int:
    """The number of the optimizer that is nearest to the root."""
    for number in object_graph.reachable(nodes):
        if {"iter", "_iterations"} & set(nodes[number].children):
            return number
    raise FileFormatError("expected an optimizer among the objects, found none")


def write(path: Path | str, saved: SavedOptimizer, base: Path | str) -> None:
    """Write the checkpoint `base`, in which the same optimizer has state, with another state to the prefix `path`."""
    tensors, nodes = _content(prefix_of(base))
    before, keys, beside = _described(nodes, _found(nodes), tensors)
    if len(before.weights) != len(saved.weights):
        raise FileFormatError(f"{base} has {len(before.weights)} arrays of state, expected {len(saved.weights)}")
    by_slot = {(weight.variable, weight.slot): weight for weight in saved.weights if weight.slot}
    for old, key, weight in zip(before.weights, keys, saved.weights, strict=True):
        new = by_slot.get((old.variable, old.slot)) if old.slot else weight
        if new is None:
            raise FileFormatError(f"{base} has the slot {old.slot} of {old.variable}, expected one of {list(by_slot)}")
        _refuse_another(f"{base} has {old.name}", old.value, new.value)
        tensors[key] = new.value
    for name, key in beside.items():
        if name in saved.beside:
            _refuse_another(f"{base} has {name}", before.beside[name], saved.beside[name])
            tensors[key] = saved.beside[name]
    bundle.write(prefix_of(path), tensors)


def _refuse_another(what: str, old: np.ndarray, new: np.ndarray) -> None:
    if (old.shape, old.dtype) != (new.shape, new.dtype):
        raise FileFormatError(f"{what} of shape {old.shape} and {old.dtype}, expected {new.shape} and {new.dtype}")


def _described(
    nodes: list[Node], number: int, tensors: dict[str, bundle.Tensor]
) -> tuple[SavedOptimizer, list[str], dict[str, str]]:
    """The optimizer that is object `number`; the keys of its weights, and of what it has beside them."""

    def value(key: str) -> np.ndarray:
        tensor = tensors.get(key)
        if not isinstance(tensor, np.ndarray):
            raise FileFormatError(f"the object graph refers to the tensor {key!r}, which is not there")
        return tensor

    node, chain, kinds = nodes[number], _chain(nodes, number), dict[int, tuple[int | None, str]]()
    if "iter" in node.children:
        order, kinds = _of_optimizer_v2(node)
    elif "_variables" in node.children:
        order = [item for one in chain for item in _listed(nodes, one)]
    else:
        order = _by_attribute(nodes, node)
    weights, keys = [], []
    for at in order:
        key = nodes[at].key
        if key is not None:
            variable, slot = kinds.get(at, (None, None))
            owner = None if variable is None else nodes[variable].full_name
            weights.append(Weight(nodes[at].full_name, value(key), slot, owner))
            keys.append(key)
    known = set(order)
    places = {
        f"{INSIDE}/" * depth + name: child
        for depth, one in enumerate(chain)
        for name, child in nodes[one].children.items()
        if child not in known
    }
    places |= {name: place for name in SCALE if (place := object_graph.at(nodes, name, number)) is not None}
    beside = {name: key for name, place in places.items() if (key := nodes[place].key) is not None}
    own = {*object_graph.reachable(nodes, number, without="_trainable_variables"), *(slot for _, _, slot in node.slots)}
    variables = {
        other.full_name: value(other.key)
        for at, other in enumerate(nodes)
        if at not in own and other.key is not None and other.full_name != "save_counter"
    }
    held = {name: value(key) for name, key in beside.items()}
    return SavedOptimizer("checkpoint", weights, beside=held, variables=variables), keys, beside


def _chain(nodes: list[Node], number: int) -> list[int]:
    """An optimizer and those that it wraps, each inside the last."""
    chain = [number]
    while INSIDE in nodes[chain[-1]].children:
        if len(chain) == DEEPEST:
            raise FileFormatError(f"more than {DEEPEST} optimizers inside each other")
        chain.append(nodes[chain[-1]].children[INSIDE])
    return chain


def _of_optimizer_v2(node: Node) -> tuple[list[int], dict[int, tuple[int | None, str]]]:
    """The counter, scalars of the optimizer, and the slots as they stand."""
    kinds: dict[int, tuple[int | None, str]] = {
        child: (None, name) for name, child in node.children.items() if name in ("iter", "momentum_cache")
    }
    kinds |= {slot: (variable, name) for variable, name, slot in node.slots}
    return list(kinds), kinds


def _listed(nodes: list[Node], number: int) -> list[int]:
    """The items of an optimizer's list, by their numbers."""
    if "_variables" not in nodes[number].children:
        return []
    children = nodes[nodes[number].children["_variables"]].children
    for name in children:
        if not is_number(name):
            raise FileFormatError(f"_variables has the item {name!r}, expected numbers")
    return [children[name] for name in sorted(children, key=int)]


def _by_attribute(nodes: list[Node], node: Node) -> list[int]:
    """Variables among the attributes and in lists that are attributes, by the attributes' names, each once."""
    order: list[int] = []
    for name in sorted(node.children):
        child = nodes[node.children[name]]
        items = sorted(filter(is_number, child.children), key=int)
        order += [node.children[name]] if child.key is not None else [child.children[item] for item in items]
    return list(dict.fromkeys(order))
