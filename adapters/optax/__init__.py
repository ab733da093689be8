"""optax, called operation by operation (not under jax.jit)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax.numpy as jnp
import numpy as np
import optax

from ..port import Document, Port, Training


class Optax(Training):
    """A gradient transformation and its state; `make(learning_rate)` makes the transformation."""

    def __init__(self, make: Callable[[float], Any], learning_rate: float, variables: list[np.ndarray]) -> None:
        self.make = make
        self.parameters = [jnp.asarray(value) for value in variables]
        self.transformation = make(learning_rate)
        self.state = self.transformation.init(self.parameters)

    def apply(self, gradients: Sequence[np.ndarray | None]) -> None:
        given = [None if gradient is None else jnp.asarray(gradient) for gradient in gradients]
        updates, self.state = self.transformation.update(given, self.state, self.parameters)
        self.parameters = optax.apply_updates(self.parameters, updates)

    def weight(self, index: int) -> np.ndarray:
        return np.array(self.parameters[index])

    def assign(self, index: int, value: np.ndarray) -> None:
        self.parameters[index] = jnp.asarray(value)

    def slot(self, index: int, entry: str) -> np.ndarray | None:
        found = optax.tree_utils.tree_get(self.state, entry)
        return None if found is None else np.array(found[index])

    def assign_slot(self, index: int, entry: str, value: np.ndarray) -> None:
        found = list(optax.tree_utils.tree_get(self.state, entry))
        found[index] = jnp.asarray(value)
        self.state = optax.tree_utils.tree_set(self.state, **{entry: found})

    def set_steps(self, count: int) -> None:
        if optax.tree_utils.tree_get_all_with_path(self.state, "count"):
            self.state = optax.tree_utils.tree_set(self.state, count=jnp.asarray(count, jnp.int32))

    def set_learning_rate(self, value: float) -> None:
        self.transformation = self.make(value)


def adapter() -> Port:
    """The optax that is installed."""

    def start(optimizer: Document, arguments: Document, clipping: Document, variables: list[np.ndarray]) -> Training:
        factory = getattr(optax, optimizer["call"])
        clips = [getattr(optax, name)(limit) for name, limit in clipping.items()]

        def make(learning_rate: float) -> Any:
            return optax.chain(*clips, factory(**{**arguments, "learning_rate": learning_rate}))

        return Optax(make, arguments["learning_rate"], variables)

    return Port("optax", optax.__version__, start)
