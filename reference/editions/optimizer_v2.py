"""OptimizerV2: the pipeline of tf2.4 and of the `.legacy` classes of TensorFlow 2.9, 2.12 and 2.15.

Source       tensorflow 2.4.4, keras/optimizer_v2/optimizer_v2.py: OptimizerV2.apply_gradients.
What it is   hyperparameters are float32 variables read at every step; slots are made when a variable first
             has a gradient; clipping by value, then by norm, then by global norm, all that are set;
             `decay` divides the learning rate by 1 + decay * iterations; a constraint follows each update.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from goldenstep import spec

from .. import clipping, steps
from ..bits import cast, total
from ..optimizer import Optimizer
from ..variable import Gradient, Variable

KEYWORDS = ("clipnorm", "clipvalue", "global_clipnorm", "lr", "decay")


class OptimizerV2(Optimizer):
    """Base class of the OptimizerV2 generation; its sums run as TF 2.9 and later run them."""

    _total = staticmethod(total)

    def _accept(self, kwargs: dict[str, Any]) -> None:
        for key, value in kwargs.items():
            if key not in KEYWORDS:
                raise TypeError(
                    f"Unexpected keyword argument passed to optimizer: {key}. Allowed: {', '.join(KEYWORDS)}."
                )
            if value is not None and value < 0:
                raise ValueError(f"Expected {key} >= 0, received: {value}")
        self.clipvalue: float | None = kwargs.get("clipvalue")
        self.clipnorm: float | None = kwargs.get("clipnorm")
        self.global_clipnorm: float | None = kwargs.get("global_clipnorm")
        if self.clipnorm is not None and self.global_clipnorm is not None:
            raise ValueError(
                f"Cannot accept both `clipnorm` and `global_clipnorm`, passed `clipnorm` {self.clipnorm}, "
                f"`global_clipnorm` {self.global_clipnorm}"
            )
        self._config["learning_rate"] = kwargs.get("lr", self._config["learning_rate"])
        self._decay = np.float32(kwargs.get("decay", 0.0))
        own = spec.hyperparameters(self.optimizer, self.edition)
        self._hyper = {name: value for name, value in self._config.items() if name in own}
        for name, value in self._hyper.items():
            if own[name].get("hyper") and isinstance(value, int | float):
                self._hyper[name] = np.float32(value)
        if "epsilon" in self._hyper:
            self._hyper["epsilon"] = self._hyper["epsilon"] or 1e-7

    def apply_gradients(
        self,
        grads_and_vars: Iterable[tuple[Gradient | None, Variable]],
        name: str | None = None,
        experimental_aggregate_gradients: bool = True,
    ) -> Variable | None:
        """One step: clip, decay the learning rate, then for each variable its rule and its constraint."""
        present = steps.with_gradient(grads_and_vars)
        if not present:
            return None
        self._create_all_weights([variable for _, variable in present])
        hyper = {**self._hyper, "t": int(self._iterations.value) + 1}
        for dtype in dict.fromkeys(v.dtype for _, v in present):
            self._prepare(hyper, dtype)
        gradients = [np.asarray(gradient) for gradient, _ in present]
        gradients = clipping.by_value_norm_and_global_norm(
            gradients, self.clipvalue, self.clipnorm, self.global_clipnorm, self._total
        )
        for gradient, (_, variable) in zip(gradients, present, strict=True):
            learning_rate = self._decayed_learning_rate(variable.dtype)
            self._update(variable, gradient, {**hyper, "learning_rate": learning_rate})
            steps.apply_constraints([variable])
        self._iterations.value = self._iterations.value + 1
        return self._iterations

    def _decayed_learning_rate(self, dtype: np.dtype) -> np.floating:
        """learning_rate / (1 + decay * iterations), in the variable's dtype."""
        learning_rate, decay, iterations = cast(
            dtype, self._hyper["learning_rate"], self._decay, self._iterations.value
        )
        return learning_rate / (1 + decay * iterations) if self._decay > 0 else learning_rate

    def _create_all_weights(self, var_list: Sequence[Variable]) -> None:
        """Make the state of `var_list` without a step."""
        new = [v for v in var_list if id(v) not in self._plans]
        if new:
            self._refuse_learning_rate(self._hyper["learning_rate"])
            self._create_slots(new)

    def _refuse_learning_rate(self, learning_rate: Any) -> None:
        """The variable of a learning rate is made at the first step: only then it turns out to be none."""
        if learning_rate is None:
            raise TypeError("the learning rate must be a number. Received: None")
        if isinstance(learning_rate, str):
            raise ValueError(f"Unknown initializer: {learning_rate}")

    def variables(self) -> list[Variable]:
        """The state in the order of creation: the iteration, then the slots."""
        return list(self._state)

    @property
    def weights(self) -> list[Variable]:
        """The same as `variables()`."""
        return list(self._state)

    def get_slot_names(self) -> list[str]:
        """Names of the slots that a variable has."""
        groups = [entry for entry in spec.state(self.optimizer, self.edition) if not isinstance(entry, str)]
        return [
            name
            for group in groups
            if spec.holds(group.get("when", {}), self._config)
            for name in group["slots"].values()
        ]

    def get_slot(self, var: Variable, slot_name: str) -> Variable:
        """The slot `slot_name` of `var`."""
        groups = [entry for entry in spec.state(self.optimizer, self.edition) if not isinstance(entry, str)]
        symbols = {name: symbol for group in groups for symbol, name in group["slots"].items()}
        return self._slots[symbols[slot_name], id(var)]

    @property
    def learning_rate(self) -> np.float32:
        """The hyperparameter, as its float32 variable holds it."""
        return np.float32(self._hyper["learning_rate"])

    @learning_rate.setter
    def learning_rate(self, value: float) -> None:
        self._hyper["learning_rate"] = np.float32(value)
