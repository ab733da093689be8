"""MultiOptimizer and OptimizerMap of Keras 3: each variable has an optimizer, by its path or by a function.

Source       keras 3.15.1, src/optimizers/multi_optimizer.py.
State        iteration (int64), which counts the steps, and learning_rate (float32), which stays 0; then the state of
             each inner optimizer, in the order of the map, the default last, and those that a function returns after.
What it is   a step is one of each inner optimizer that has variables, one after the other; each clips, decays and
             averages for itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, MutableMapping, Sequence
from typing import Any

import numpy as np

from ..formats import by_module
from ..formats import weights as _weights
from ..formats.custom import CustomObjects
from ..formats.identifiers import public
from ..naming import refuse_name, unique_name
from ..optimizer import Optimizer
from ..variable import Gradient, Variable
from .base import Wrapper
from .loss_scale_keras3 import COMMON_ARGUMENTS, LossScaleOptimizer


class OptimizerMap(MutableMapping[str, Any]):
    """Optimizers by a path, or by a pattern that must match all of it; others have the default."""

    edition = "keras3"

    def __init__(self, default_optimizer: Any, optimizer_map: dict[str, Any] | None = None) -> None:
        if not is_optimizer(default_optimizer):
            raise TypeError(f"default_optimizer must be a Keras Optimizer instance. Received: {default_optimizer}")
        if optimizer_map is not None and not isinstance(optimizer_map, dict):
            raise TypeError(f"optimizer_map must be a dictionary. Received: {optimizer_map}")
        self.default_optimizer = default_optimizer
        self._optimizers = optimizer_map or {}

    def __getitem__(self, key: str) -> Any:
        """The optimizer of that key; else of the one pattern that fits, ValueError if several do; else the default."""
        fitting = [key] if key in self._optimizers else [p for p in self._optimizers if re.fullmatch(p, key)]
        if len(fitting) > 1:
            raise ValueError(f"Multiple optimizers assigned to variable {key}.")
        return self._optimizers[fitting[0]] if fitting else self.default_optimizer

    def __setitem__(self, key: str, optimizer: Any) -> None:
        if key in self._optimizers:
            raise ValueError(f"'{key}' already exists in the OptimizerMap with value {self._optimizers[key]}.")
        if not isinstance(key, str):
            raise ValueError(f"key must be a string. Received: {key}")  # as Keras raises it
        if not is_optimizer(optimizer):
            raise ValueError(f"optimizer must be a Keras Optimizer instance. Received: {optimizer}")
        refuse_wrapper(optimizer)
        self._optimizers[key] = optimizer

    def __delitem__(self, key: str) -> None:
        del self._optimizers[key]

    def __len__(self) -> int:
        return len(self._optimizers)

    def __iter__(self) -> Iterator[str]:
        return iter(self._optimizers)

    def __call__(self, variable: Variable) -> Any:
        """The optimizer of a variable, by its path."""
        return self[variable.path]

    def get_config(self) -> dict[str, Any]:
        """The documents of the default and of each optimizer by its pattern."""
        return {
            "default_optimizer": by_module.serialize(self.default_optimizer, public("keras3")),
            "optimizer_map": by_module.serialize(self._optimizers, public("keras3")),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: CustomObjects | None = None) -> Any:
        """The map that `get_config` described; both keys must be there."""
        made = (config[key] for key in ("default_optimizer", "optimizer_map"))
        return cls(*(by_module.deserialize(document, public("keras3"), None, custom_objects) for document in made))


class MultiOptimizer(Wrapper):
    """An optimizer that hands each variable to one of several; `optimizer_map` is an OptimizerMap or a function."""

    edition = "keras3"

    def __init__(
        self,
        optimizer_map: OptimizerMap | Callable[[Variable], Any],
        loss_scale_factor: float | None = None,
        name: str | None = None,
    ) -> None:
        refuse_name(name)
        self.name = name or unique_name("MultiOptimizer")
        self._iterations = Variable(np.int64(0), f"{self.name}/iteration")
        self._state = [self._iterations, Variable(np.float32(0), f"{self.name}/learning_rate")]
        self._optimizer_map = optimizer_map
        self._loss_scale_factor = loss_scale_factor
        self._inner_optimizers: list[Any] = []
        if isinstance(optimizer_map, OptimizerMap):
            for optimizer in (*optimizer_map.values(), optimizer_map.default_optimizer):
                self._add(optimizer)
        self._places: dict[int, int] = {}
        self._scope: str | None = None
        self._lost = False
        self.built = False
        vars(self).update({name: value for name, value in COMMON_ARGUMENTS.items() if name != "loss_scale_factor"})

    def _add(self, optimizer: Any) -> int:
        """Where the optimizer stands among the inner ones, after taking it up if it is new."""
        if not any(optimizer is known for known in self._inner_optimizers):
            optimizer.loss_scale_factor = self._loss_scale_factor
            self._inner_optimizers.append(optimizer)
        return next(i for i, known in enumerate(self._inner_optimizers) if known is optimizer)

    def build(self, var_list: Sequence[Variable]) -> None:
        """Ask for the optimizer of each variable, and make the state of each that has some."""
        if self.built:
            return
        for variable in var_list:
            optimizer = self._optimizer_map(variable)
            if not is_optimizer(optimizer):
                raise ValueError(f"Optimizer for variable {variable} is not an Optimizer instance.")
            refuse_wrapper(optimizer)
            self._places[id(variable)] = self._add(optimizer)
        for optimizer, variables in zip(self._inner_optimizers, self._by_optimizer(var_list), strict=True):
            if variables:
                optimizer.within(self._scope, self._lost)
                optimizer.build(variables)
        self._trainable_variables = list(var_list)
        self.built = True

    def within(self, scope: str | None, lost: bool) -> None:
        """State that is made from now on is named inside another optimizer."""
        self._scope, self._lost = scope, lost

    def _by_optimizer(self, variables: Iterable[Variable]) -> list[list[Variable]]:
        """The variables of each inner optimizer."""
        found: list[list[Variable]] = [[] for _ in self._inner_optimizers]
        for variable in variables:
            found[self._places[id(variable)]].append(variable)
        return found

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Gradient | None, Variable]]) -> Variable:
        """`apply` of a list of pairs; returns the iteration."""
        gradients, variables = zip(*grads_and_vars, strict=True)
        self.apply(gradients, variables)
        return self._iterations

    def apply(self, grads: Sequence[Gradient | None], trainable_variables: Sequence[Variable] | None = None) -> None:
        """One step of each inner optimizer that has variables; one that fails leaves those before it changed."""
        if len(grads) == 0:
            return
        if trainable_variables is None:
            if not self.built:
                raise ValueError("`apply(grads)` without variables needs an optimizer that is built.")
            trainable_variables = self._trainable_variables
        self.build(trainable_variables)
        if len(grads) != len(self._places):
            raise ValueError(
                "Gradients must match trainable variables one-to-one. "
                f"Received {len(grads)} gradients and {len(self._places)} variables."
            )
        pairs: list[list[tuple[Gradient | None, Variable]]] = [[] for _ in self._inner_optimizers]
        for gradient, variable in zip(grads, trainable_variables, strict=False):
            pairs[self._places[id(variable)]].append((gradient, variable))
        for optimizer, own in zip(self._inner_optimizers, pairs, strict=True):
            if own:
                optimizer.apply_gradients(own)
        self._iterations.assign(self._iterations.value + 1)

    def finalize_variable_values(self, var_list: Sequence[Variable]) -> None:
        """Each inner optimizer overwrites the listed ones of its variables; AttributeError before the first step."""
        if not self.built:
            raise AttributeError("'MultiOptimizer' object has no attribute '_var_to_optimizer_idx'")
        for optimizer, variables in zip(self._inner_optimizers, self._by_optimizer(var_list), strict=True):
            if variables:
                optimizer.finalize_variable_values(variables)

    def exclude_from_weight_decay(
        self, var_list: Sequence[Variable] | None = None, var_names: Sequence[str] | None = None
    ) -> None:
        """Nothing: the release keeps it in the wrapper, where nobody looks."""

    def get_config(self) -> dict[str, Any]:
        """The document of the map, or the name of the function; the factor, and the name."""
        return {
            "optimizer_map": by_module.serialize(self._optimizer_map, public("keras3")),
            "loss_scale_factor": self.loss_scale_factor,
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: CustomObjects | None = None) -> Any:
        """The wrapper that `get_config` described."""
        chooser = by_module.deserialize(config["optimizer_map"], public("keras3"), None, custom_objects)
        return cls(**{**config, "optimizer_map": chooser})

    def set_weights(self, weights: Sequence[Any]) -> None:
        """The wrapper's own state takes the first values of a list, then each inner optimizer's as many as it has."""
        _weights.set_weights(self.built, self._state, weights)
        rest = list(weights[len(self._state) :])
        for optimizer in self._inner_optimizers:
            optimizer.set_weights(rest[: len(optimizer.variables)])
            rest = rest[len(optimizer.variables) :]

    def save_own_variables(self, store: _weights.Store) -> None:
        """Put the state, that of each inner optimizer included, into a store, each array under its number."""
        _weights.save_own_variables(self.variables, store)

    def load_own_variables(self, store: _weights.Store) -> None:
        """Take the state out of a store; if it has another number of arrays, nothing, with a warning."""
        _weights.warned(_weights.load_own_variables(self.name, self.variables, store))

    @property
    def optimizers(self) -> list[Any]:
        """The inner optimizers."""
        return self._inner_optimizers

    @property
    def variables(self) -> list[Variable]:
        """The wrapper's own state, then that of each inner optimizer."""
        return [*self._state, *(variable for inner in self._inner_optimizers for variable in inner.variables)]

    @property
    def iterations(self) -> Variable:
        """int64 scalar: how many steps have been taken."""
        return self._iterations

    @property
    def learning_rate(self) -> float:
        """AttributeError: each inner optimizer has its own."""
        raise AttributeError(
            "Learning rate cannot be accessed on a MultiOptimizer. Access the learning rate on the individual "
            "sub-optimizers instead."
        )

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        raise AttributeError(
            "Learning rate cannot be set on a MultiOptimizer. Set the learning rate on the individual sub-optimizers "
            "instead."
        )

    @property
    def loss_scale_factor(self) -> float | None:
        """One factor for all inner optimizers, whatever they were made with."""
        return self._loss_scale_factor

    @loss_scale_factor.setter
    def loss_scale_factor(self, value: float | None) -> None:
        self._loss_scale_factor = value
        for optimizer in self._inner_optimizers:
            optimizer.loss_scale_factor = value


def is_optimizer(x: Any) -> bool:
    """Is it an optimizer, wrapped or not?"""
    return isinstance(x, Optimizer | LossScaleOptimizer | MultiOptimizer)


def refuse_wrapper(optimizer: Any) -> None:
    """ValueError for an optimizer that wraps others."""
    if isinstance(optimizer, LossScaleOptimizer):
        raise ValueError("LossScaleOptimizer cannot be used inside an MultiOptimizer.")
    if isinstance(optimizer, MultiOptimizer):
        raise ValueError("MultiOptimizer cannot be used inside an MultiOptimizer.")
