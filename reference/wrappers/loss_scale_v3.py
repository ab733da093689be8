"""LossScaleOptimizer around the new optimizers of TF 2.9, 2.12 and 2.15: what they call LossScaleOptimizerV3.

Source       keras 2.9.0, 2.12.0 and 2.15.0, mixed_precision/loss_scale_optimizer.py: LossScaleOptimizerV3.
What it is   gradients come unscaled; the scale moves first, then the inner optimizer steps, or its iteration is
             counted without a step. Of its attributes only the learning rate, and later the averages', are passed on.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from .. import steps
from ..editions.optimizer_v2 import OptimizerV2
from ..formats import weights as _weights
from ..optimizer import Optimizer
from ..variable import Gradient, Variable
from .loss_scale import LossScaling, finite_as_given, finite_as_sums
from .loss_scale_config import Configured, TakesInstances

Pairs = Iterable[tuple[Gradient | None, Variable]]


class LossScaleOptimizer29(Configured):
    """The wrapper of TF 2.9."""

    _finite = staticmethod(finite_as_sums)

    def __init__(
        self,
        inner_optimizer: Any,
        dynamic: bool = True,
        initial_scale: float | None = None,
        dynamic_growth_steps: int | None = None,
    ) -> None:
        if isinstance(inner_optimizer, OptimizerV2) or not isinstance(inner_optimizer, Optimizer | LossScaling):
            raise TypeError(
                '"inner_optimizer" must be an instance of an optimizer of the new generation, '
                f"but got: {inner_optimizer}"
            )
        super().__init__(inner_optimizer, dynamic, initial_scale, dynamic_growth_steps)

    def apply_gradients(self, grads_and_vars: Pairs, skip_gradients_aggregation: bool = False) -> None:
        """One step with gradients that are unscaled; the inner optimizer knows of those only that are not null."""
        pairs = steps.with_gradient(list(grads_and_vars))
        if self._takes([gradient for gradient, _ in pairs]):
            self._optimizer.apply_gradients(pairs)
        else:
            self._skip()

    def minimize(self, loss: Any, var_list: Any, tape: Any = None) -> None:
        """One step down a loss, which is scaled on the way: a function, or a value with the tape that it is on."""
        self.apply_gradients(self.compute_gradients(loss, var_list, tape))

    def compute_gradients(self, loss: Any, var_list: Any, tape: Any = None) -> Any:
        """The pairs of gradient and variable that `minimize` applies."""
        return self._unscaled(loss, lambda x, t: self._optimizer.compute_gradients(x, var_list, t), tape)

    def __setattr__(self, name: str, value: Any) -> None:
        """What an attribute is already, the very object, may be assigned, even where nothing else may be."""
        if getattr(self, name, LossScaling) is not value:
            super().__setattr__(name, value)

    @property
    def variables(self) -> Any:
        """The inner optimizer's state; the scale is no part of it."""
        return self._optimizer.variables

    @property
    def iterations(self) -> Variable:
        """int64 scalar: steps of the inner optimizer, those that were not taken included."""
        return self._optimizer.iterations

    @property
    def learning_rate(self) -> Any:
        """The inner optimizer's."""
        return self._optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        self._optimizer.learning_rate = value

    lr = learning_rate


class LossScaleOptimizer212(TakesInstances, LossScaleOptimizer29):
    """The wrapper of TF 2.12."""

    def build(self, var_list: Sequence[Variable]) -> None:
        """Make the inner optimizer's state."""
        self._optimizer.build(var_list)

    def apply_gradients(self, grads_and_vars: Pairs, skip_gradients_aggregation: bool = False, **kwargs: Any) -> None:
        """One step with gradients that are unscaled; the inner optimizer knows of those only that are not null."""
        super().apply_gradients(grads_and_vars)

    @property
    def iterations(self) -> Variable:
        """int64 scalar: steps of the inner optimizer, those that were not taken included."""
        return self._optimizer.iterations

    @iterations.setter
    def iterations(self, variable: Variable) -> None:
        self._optimizer.iterations = variable

    @property
    def use_ema(self) -> bool:
        """The inner optimizer's."""
        return self._optimizer.use_ema

    @use_ema.setter
    def use_ema(self, value: bool) -> None:
        self._optimizer.use_ema = value

    @property
    def ema_momentum(self) -> float:
        """The inner optimizer's."""
        return self._optimizer.ema_momentum

    @ema_momentum.setter
    def ema_momentum(self, value: float) -> None:
        self._optimizer.ema_momentum = value

    def finalize_variable_values(self, var_list: Sequence[Variable]) -> None:
        """The inner optimizer's."""
        self._optimizer.finalize_variable_values(var_list)

    def set_weights(self, weights: Sequence[Any]) -> None:
        """ValueError, always: the release asks whether the wrapper is built, and it never is."""
        _weights.set_weights(False, self.variables, weights)

    def _save_own_variables(self, store: _weights.Store) -> None:
        """Put the inner optimizer's state into a store; the scale is no part of it."""
        _weights.save_own_variables(self.variables, store)

    def _load_own_variables(self, store: _weights.Store) -> None:
        """Take the inner optimizer's state out of a store; AttributeError if it has another number of arrays."""
        if len(store.keys()) != len(self.variables):
            raise AttributeError(f"{type(self).__name__!r} object has no attribute 'name'")  # the release's own message
        _weights.load_own_variables("", self.variables, store)

    def exclude_from_weight_decay(
        self, var_list: Sequence[Variable] | None = None, var_names: Sequence[str] | None = None
    ) -> None:
        """Nothing: the release keeps it in the wrapper, where nobody looks."""


class LossScaleOptimizer215(LossScaleOptimizer212):
    """The wrapper of TF 2.15: state is made for all variables, outside the name of the inner optimizer."""

    _finite = staticmethod(finite_as_given)

    def apply_gradients(self, grads_and_vars: Pairs, skip_gradients_aggregation: bool = False, **kwargs: Any) -> None:
        """One step with gradients that are unscaled; state is made first, whether it is taken or not."""
        pairs = list(grads_and_vars)
        _, variables = zip(*pairs, strict=True)
        self.build(variables)
        super().apply_gradients(pairs)

    def save_own_variables(self, store: _weights.Store) -> None:
        """Put the inner optimizer's state into a store; the scale is no part of it."""
        self._save_own_variables(store)

    def load_own_variables(self, store: _weights.Store) -> None:
        """Take the inner optimizer's state out of a store; AttributeError if it has another number of arrays."""
        self._load_own_variables(store)
