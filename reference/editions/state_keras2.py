"""What the optimizers of Keras 2.9 to 2.15 offer beside a step: variables of their own, gradients of a loss.

Source       keras 2.12.0, optimizers/optimizer.py: _BaseOptimizer (`add_variable`, `compute_gradients` ...).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from ..formats.config import Configured
from ..minimizing import Pairs, gradients_of
from ..variable import Gradient, Variable, initial


class StateKeras2(Configured):
    """The part of the bases of Keras 2 that does not belong to a step."""

    _late_list = True
    _prefix = ""
    learning_rate: Any
    build: Callable[[Sequence[Variable]], None]
    apply_gradients: Callable[..., Variable | None]

    def _default_name(self, class_name: str | None = None) -> Any:
        """A name of None stays None."""
        return self._config["name"]

    def _scope(self) -> str:
        """State has the optimizer's name in front only if a step makes it."""
        return self._prefix

    def _build_in_step(self, var_list: Sequence[Variable], prefix: str) -> None:
        self._prefix = prefix
        self.build(var_list)
        self._prefix = ""

    def add_variable(
        self,
        shape: Sequence[int] | None,
        dtype: DTypeLike | None = None,
        initializer: Any = "zeros",
        name: str | None = None,
    ) -> Variable:
        """A new variable of the optimizer, float32 unless said otherwise."""
        value = initial(initializer, shape or (), dtype or np.float32)
        return self._track(Variable(value, self._named(name or "Variable")))

    def add_variable_from_reference(
        self,
        model_variable: Variable,
        variable_name: str,
        shape: Sequence[int] | None = None,
        initial_value: Any = None,
    ) -> Variable:
        """A new variable of the dtype, and unless said otherwise of the shape, of a model's; zeros if not told."""
        name = self._named(f"{variable_name}/{model_variable.name}")
        value: Any = np.zeros(model_variable.shape if shape is None else tuple(shape), model_variable.dtype)
        if initial_value is not None:
            value = np.asarray(initial_value, model_variable.dtype)
        return self._track(Variable(value, name))

    def _named(self, name: str) -> str:
        return f"{self._prefix}/{name}:0".removeprefix("/")

    def _track(self, variable: Variable) -> Variable:
        """New variables are part of the state."""
        self._state.append(variable)
        return variable

    def update_step(self, gradient: Gradient, variable: Variable) -> None:
        """The rule alone, for one variable; AttributeError before the optimizer is built."""
        if not self._plans:
            raise AttributeError(f"{self.optimizer} has no slots before it is built")
        rate, t = self.learning_rate.value[()], int(self._iterations.value) + 1
        self._update(variable, gradient, {**self._config, "learning_rate": rate, "t": t})

    def minimize(self, loss: Any, var_list: Any, tape: Any = None) -> None:
        """One step down a loss: a function without arguments, or a value with the tape that it is on."""
        self.apply_gradients(self.compute_gradients(loss, var_list, tape))

    def compute_gradients(self, loss: Any, var_list: Any, tape: Any = None) -> Pairs:
        """The pairs of gradient and variable that `minimize` applies; a gradient may be None."""
        return gradients_of(loss, var_list, tape, late_list=self._late_list)
