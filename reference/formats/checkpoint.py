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
    number = _found(nodes)
    before, keys = _described(nodes, number, tensors)
    given = {(weight.variable, weight.slot): weight for weight in saved.weights}
    by_slot = any(weight.slot for weight in before.weights)
    if len(before.weights) != len(saved.weights) or (by_slot and len(given) != len(saved.weights)):
        raise FileFormatError(f"{base} has {len(before.weights)} arrays of state, expected {len(saved.weights)}")
    for index, (old, key) in enumerate(zip(before.weights, keys, strict=True)):
        new = given.get((old.variable, old.slot)) if by_slot else saved.weights[index]
        if new is None or new.value.shape != old.value.shape or new.value.dtype != old.value.dtype:
            raise FileFormatError(
                f"{base} has {old.name} of shape {old.value.shape}, expected {new and new.value.shape}"
            )
        tensors[key] = new.value
    for name, value in saved.beside.items():
        child = object_graph.at(nodes, name, number)
        attribute = None if child is None else nodes[child].key
        if attribute is not None:
            tensors[attribute] = value
    bundle.write(prefix_of(path), tensors)


def _described(nodes: list[Node], number: int, tensors: dict[str, bundle.Tensor]) -> tuple[SavedOptimizer, list[str]]:
    """The optimizer that is object `number`, and the keys of its weights."""

    def value(number: int) -> np.ndarray | None:
        key = nodes[number].key
        if key is None:
            return None
        tensor = tensors.get(key)
        if not isinstance(tensor, np.ndarray):
            raise FileFormatError(f"the object graph refers to the tensor {key!r}, which is not there")
        return tensor

    node = nodes[number]
    if "iter" in node.children:
        order, kinds = _of_optimizer_v2(node)
    elif "_variables" in node.children:
        order, kinds = _of_wrapped(nodes, number), {}
    else:
        order, kinds = _by_attribute(nodes, node), {}
    weights, keys = [], []
    for at in order:
        array, key = value(at), nodes[at].key
        if array is not None and key is not None:
            keys.append(key)
            variable, slot = kinds.get(at, (None, None))
            owner = None if variable is None else nodes[variable].full_name
            weights.append(Weight(nodes[at].full_name, array, slot, owner))
    beside = {name: value(child) for name, child in node.children.items() if child not in order}
    scale = {name: object_graph.at(nodes, name, number) for name in SCALE}
    beside |= {name: value(place) for name, place in scale.items() if place is not None}
    prefix, inner = "", node
    while INSIDE in inner.children and len(prefix) < DEEPEST * len(INSIDE):
        prefix, inner = f"{prefix}{INSIDE}/", nodes[inner.children[INSIDE]]
        beside |= {f"{prefix}{name}": value(child) for name, child in inner.children.items() if child not in order}
    own = set(object_graph.reachable(nodes, number, without="_trainable_variables"))
    slots = {slot for _, _, slot in node.slots}
    variables = {
        other.full_name: array
        for at, other in enumerate(nodes)
        if at not in own | slots and other.full_name != "save_counter" and (array := value(at)) is not None
    }
    kept = {name: array for name, array in beside.items() if array is not None}
    return SavedOptimizer("checkpoint", weights, beside=kept, variables=variables), keys


def _of_optimizer_v2(node: Node) -> tuple[list[int], dict[int, tuple[int | None, str]]]:
    """The counter, scalars of the optimizer, and the slots as they stand."""
    scalars = [name for name in node.children if name in ("iter", "momentum_cache")]
    order = [node.children[name] for name in scalars] + [slot for _, _, slot in node.slots]
    kinds: dict[int, tuple[int | None, str]] = {node.children[name]: (None, name) for name in scalars}
    return order, kinds | {slot: (variable, name) for variable, name, slot in node.slots}


def _of_wrapped(nodes: list[Node], number: int) -> list[int]:
    """The list of an optimizer, then those of the optimizers that it wraps, each inside the last."""
    order: list[int] = []
    seen: set[int] = set()
    while number not in seen and "_variables" in nodes[number].children:
        seen.add(number)
        order += _listed(nodes, nodes[number].children["_variables"])
        number = nodes[number].children.get(INSIDE, number)
    return order


def _listed(nodes: list[Node], number: int) -> list[int]:
    """The items of a list, by their numbers."""
    children = nodes[number].children
    for name in children:
        if not is_number(name):
            raise FileFormatError(f"_variables has the item {name!r}, expected numbers")
    return [children[name] for name in sorted(children, key=int)]


def _by_attribute(nodes: list[Node], node: Node) -> list[int]:
    """Variables among the attributes and in lists that are attributes, by the attributes' names, each once."""
    order: list[int] = []
    for name in sorted(set(node.children) - {"loss_scale"}):
        child = nodes[node.children[name]]
        numbered = all(map(is_number, child.children))
        items = sorted(child.children, key=int) if numbered else sorted(child.children)
        found = [node.children[name]] if child.key is not None else [child.children[item] for item in items]
        order += [at for at in found if nodes[at].key is not None and at not in order]
    return order
