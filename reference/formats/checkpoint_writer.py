"""TensorFlow checkpoints made of nothing, as `tf.train.Checkpoint(optimizer=..., model=...).save` writes them.

Source   tensorflow 2.4.4, python/training/tracking/graph_view.py; seen in the files of every edition (checkpoint.py).

Only names and paths matter to the release that restores: an object of the graph is matched, from the root on, with the
attribute of the same name. What lies between a model and its variables are such attributes, too: in Keras 2
`tf.train.Checkpoint(model=model)` finds `model/layer_with_weights-0/kernel`; a list of variables has `variables/0`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from goldenstep.spec import saved_files

from . import bundle, checkpoint, object_graph
from .errors import FileFormatError
from .object_graph import KEY, Node
from .saved import SavedOptimizer, Weight


class Graph:
    """Objects by their paths of attributes from the root, and the tensors of those that are variables."""

    def __init__(self) -> None:
        self.nodes = [Node()]
        self.tensors: dict[str, bundle.Tensor] = {}

    def at(self, path: str) -> int:
        """The object at a path, made with all those on the way to it if it is not there."""
        number = 0
        for name in path.split("/"):
            number = self.nodes[number].children.setdefault(name, len(self.nodes))
            if number == len(self.nodes):
                self.nodes.append(Node())
        return number

    def put(self, path: str, name: str, value: np.ndarray) -> int:
        """A variable at a path."""
        number = self.at(path)
        self._keep(number, _key(path), name, value)
        return number

    def slot(self, owner: int, kind: str, path: str, name: str, value: np.ndarray) -> int:
        """A variable that no attribute leads to: a slot `kind` of the variable `owner`, of the optimizer at `path`."""
        number = len(self.nodes)
        self.nodes.append(Node())
        place = str(self.nodes[owner].key).removesuffix(f"/{ATTRIBUTES}")
        self._keep(number, f"{place}/.OPTIMIZER_SLOT/{_key(path, kind)}", name, value)
        return number

    def _keep(self, number: int, key: str, name: str, value: np.ndarray) -> None:
        self.nodes[number].full_name, self.nodes[number].key = name.removesuffix(":0"), key
        self.tensors[key] = value


ATTRIBUTES = ".ATTRIBUTES/VARIABLE_VALUE"


def _key(*parts: str) -> str:
    """The key of a value: a dot in a name is written twice."""
    return f"{'/'.join(parts).replace('.', '..')}/{ATTRIBUTES}"


def write_new(
    path: Path | str, saved: SavedOptimizer, edition: str, variables: Mapping[str, Weight], name: str = "optimizer"
) -> None:
    """Write a checkpoint with an optimizer under the attribute `name`, and the variables that it trains.

    `variables` has each of them by its path of attributes, in the order in which the optimizer was built with them.
    Raises FileFormatError for state that the edition has no attribute for.
    """
    refuse_omitted(saved, edition)
    graph = Graph()
    owners = {held.name.removesuffix(":0"): graph.put(at, held.name, held.value) for at, held in variables.items()}
    LAYOUTS[saved_files.layout_of_checkpoints(edition)](graph, saved, owners, name)
    for attribute, value in saved.beside.items():
        if attribute not in graph.nodes[graph.at(name)].children:
            graph.put(f"{name}/{attribute}", attribute.split("/")[-1].removeprefix("_"), np.asarray(value))
    graph.put("save_counter", "save_counter", np.asarray(1, np.int64))
    graph.tensors[KEY] = object_graph.serialized(graph.nodes)
    bundle.write(checkpoint.prefix_of(path), graph.tensors)


def refuse_omitted(saved: SavedOptimizer, edition: str) -> None:
    """FileFormatError for an optimizer whose state a checkpoint does not hold."""
    for name, _ in saved_files.classes(saved.config):
        if name in saved_files.omits("checkpoint", edition):
            raise FileFormatError(
                f"a checkpoint of {edition} has no place for the optimizers in a {name}: write a .weights.h5 or .keras"
            )


def _as_slots(graph: Graph, saved: SavedOptimizer, owners: Mapping[str, int], name: str) -> None:
    """OptimizerV2: `iter` and other scalars are attributes; slots belong to variables."""
    optimizer = graph.nodes[graph.at(name)]
    for weight in saved.weights:
        if weight.slot is None:
            raise FileFormatError(f"{weight.name}: expected the name of a slot, as OptimizerV2 has it")
        if weight.variable is None:
            graph.put(f"{name}/{weight.slot}", weight.name, weight.value)
        elif weight.variable in owners:
            owner = owners[weight.variable]
            made = graph.slot(owner, weight.slot, name, weight.name, weight.value)
            optimizer.slots.append((owner, weight.slot, made))
        else:
            raise FileFormatError(f"{weight.name}: a slot of {weight.variable}, expected one of {sorted(owners)}")


def _as_attributes(graph: Graph, saved: SavedOptimizer, owners: Mapping[str, int], name: str) -> None:
    """TF 2.9: each kind of slot is a list, in the order of the variables."""
    *_, last = "", *(inside for inside, _ in saved_files.classes(saved.config))
    known = saved_files.attributes(last)
    rate = "_current_learning_rate" if "_current_learning_rate" in saved.beside else "_learning_rate"
    scalars = {"iteration": "_iterations", "learning_rate": rate}
    counts: dict[str, int] = {}
    for weight in saved.weights:
        first, *others = weight.name.removesuffix(":0").split("/")
        if not others and first in scalars:
            graph.put(f"{name}/{scalars[first]}", weight.name, weight.value)
            continue
        kind = first if first in known else others[0] if others else first  # the optimizer's name may stand before it
        if kind not in known:
            raise FileFormatError(f"{weight.name}: expected a slot that is one of {sorted(known)}")
        if known[kind] in saved.beside:  # Nadam's product, which is one for all variables
            graph.put(f"{name}/{known[kind]}", weight.name, weight.value)
            continue
        count = counts[kind] = counts.get(kind, -1) + 1
        graph.put(f"{name}/{known[kind]}/{count}", weight.name, weight.value)


def _as_list(graph: Graph, saved: SavedOptimizer, owners: Mapping[str, int], name: str) -> None:
    """Keras 2.12 and later: one list of all; Keras 3 has the model's variables in another.

    What Keras 3 wraps has its list in an object of its own, after that of the wrapper, which ends with the loss scale.
    """
    names = [weight.name.split("/")[-1] for weight in saved.weights]
    if "dynamic_scale" in names:
        end = names.index("dynamic_scale") + 1
        inside = dataclasses.replace(saved, weights=saved.weights[end:])
        saved = dataclasses.replace(saved, weights=saved.weights[:end])
        _as_list(graph, inside, owners, f"{name}/{checkpoint.INSIDE}")
    for count, weight in enumerate(saved.weights):
        graph.put(f"{name}/_variables/{count}", weight.name, weight.value)
    own = graph.nodes[graph.at(name)].children
    own["_iterations"] = graph.at(f"{name}/_variables/0")
    if names[1:2] == ["learning_rate"]:
        own["_learning_rate"] = graph.at(f"{name}/_variables/1")
    known = graph.nodes[graph.at(f"{name}/_trainable_variables")].children
    known.update({str(count): owner for count, owner in enumerate(owners.values())})


LAYOUTS = {"slots": _as_slots, "attributes": _as_attributes, "list": _as_list}
