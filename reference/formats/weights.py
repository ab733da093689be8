"""The state of an optimizer as a list of arrays, and as a store of numbered arrays."""

from __future__ import annotations

import logging
import warnings
from collections.abc import MutableMapping, Sequence
from typing import Any

import numpy as np

from ..variable import Variable

Store = MutableMapping[str, Any]
REPAIRS = {"Adadelta": "counter", "Adagrad": "counter", "RMSprop": "counter", "Adam": "vhat"}


def set_weights_v2(optimizer: str, name: str, state: Sequence[Variable], weights: Sequence[Any]) -> None:
    """OptimizerV2.set_weights: all lengths and shapes are looked at before anything is assigned.

    A list of Keras 1 is taken, too: some of its optimizers had no counter, and its Adam always had vhat.
    """
    if REPAIRS.get(optimizer) == "counter" and len(state) == len(weights) + 1:
        weights = [np.array(0), *weights]
    if REPAIRS.get(optimizer) == "vhat" and len(weights) == 3 * int((len(state) - 1) / 2) + 1:
        weights = weights[: len(state)]
    if len(state) != len(weights):
        raise ValueError(
            f"You called `set_weights(weights)` on optimizer {name} with a  weight list of length {len(weights)}, but "
            f"the optimizer was expecting {len(state)} weights. Provided weights: {str(weights)[:50]}..."
        )
    for variable, weight in zip(state, weights, strict=True):
        if variable.shape != weight.shape:
            raise ValueError(
                f"Optimizer weight shape {variable.shape} not compatible with provided weight shape {weight.shape}."
            )
    for variable, weight in zip(state, weights, strict=True):
        variable.assign(weight)


def set_weights(built: bool, state: Sequence[Variable], weights: Sequence[Any]) -> None:
    """Optimizer.set_weights of Keras 2.12 and later: one after the other, as many as both lists have."""
    if not built:
        raise ValueError(
            "You are calling `set_weights()` on an optimizer that has not yet been built. Please call "
            "`optimizer.build(trainable_variables)` to create the optimizer weights before calling `set_weights()`."
        )
    for variable, weight in zip(state, weights, strict=False):
        if variable.shape != weight.shape:
            raise ValueError(
                f"Optimizer variable {variable.name} has shape {variable.shape} not compatible with provided weight "
                f"shape {weight.shape}."
            )
        variable.assign(weight)


def save_own_variables(state: Sequence[Variable], store: Store) -> None:
    """Put each variable's array into the store, under its number: "0", "1" ..."""
    for index, variable in enumerate(state):
        store[str(index)] = variable.numpy()


def load_own_variables(name: str, state: Sequence[Variable], store: Store) -> str | None:
    """Take each variable's array out of the store; if it has another number of them, nothing, and say why not.

    Raises KeyError for a number that is missing, ValueError for an array of another shape; what came before is loaded.
    """
    if len(store.keys()) != len(state):
        unbuilt = "" if state else "This is likely because the optimizer has not been called/built yet."
        return (
            f"Skipping variable loading for optimizer '{name}', because it has {len(state)} variables whereas the "
            f"saved optimizer has {len(store.keys())} variables. {unbuilt}"
        )
    for index, variable in enumerate(state):
        variable.assign(store[str(index)])
    return None


def logged(message: str | None) -> None:
    """Keras 2 logs what it skipped."""
    if message:
        logging.warning(message)


def warned(message: str | None) -> None:
    """Keras 3 warns of what it skipped."""
    if message:
        warnings.warn(message, stacklevel=3)
