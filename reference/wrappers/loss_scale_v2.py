"""LossScaleOptimizer around OptimizerV2: tf2.4, and the `.legacy` editions.

Source       tensorflow 2.4.4, keras/mixed_precision/loss_scale_optimizer.py: LossScaleOptimizer and
             LossScaleOptimizerV1; keras 2.12.0, mixed_precision/loss_scale_optimizer.py: LossScaleOptimizer.
What it is   gradients come unscaled; the scale moves first, then the inner optimizer steps, or its iteration is
             counted without a step. Hyperparameters, clipping and state are the inner optimizer's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from .. import steps
from ..editions.optimizer_v2 import OptimizerV2
from ..formats.custom import CustomObjects
from ..variable import Gradient, Variable
from .loss_scale import LossScaling, finite_as_given, finite_as_sums
from .loss_scale_config import ConfiguredV2, FixedLossScale, MovingLossScale, TakesInstances, loss_scale_of

Pairs = Iterable[tuple[Gradient | None, Variable]]


class LossScaleOptimizer(ConfiguredV2):
    """The wrapper of TF 2.9 around a legacy optimizer; null gradients leave before anything else."""

    _finite = staticmethod(finite_as_sums)

    def __init__(
        self,
        inner_optimizer: OptimizerV2,
        dynamic: bool = True,
        initial_scale: float | None = None,
        dynamic_growth_steps: int | None = None,
    ) -> None:
        if not isinstance(inner_optimizer, OptimizerV2 | LossScaleOptimizer):
            raise TypeError(f'"inner_optimizer" must be an instance of OptimizerV2, but got: {inner_optimizer}')
        super().__init__(inner_optimizer, dynamic, initial_scale, dynamic_growth_steps)

    def apply_gradients(
        self, grads_and_vars: Pairs, name: str | None = None, experimental_aggregate_gradients: bool = True
    ) -> None:
        """One step with gradients that are unscaled; ValueError, and no step, if there is none at all."""
        pairs = steps.with_gradient(list(grads_and_vars))
        if self._takes([gradient for gradient, _ in pairs]):
            self._optimizer.apply_gradients(pairs)
        else:
            self._skip()

    def minimize(
        self, loss: Any, var_list: Any, grad_loss: Any = None, name: str | None = None, tape: Any = None
    ) -> None:
        """One step down a loss, which is scaled on the way: a function, or a value with the tape that it is on."""
        self.apply_gradients(self._compute_gradients(loss, var_list, grad_loss, tape), name)

    def _compute_gradients(self, loss: Any, var_list: Any, grad_loss: Any = None, tape: Any = None) -> Any:
        """The pairs of gradient and variable that `minimize` applies."""
        return self._unscaled(loss, lambda x, t: self._optimizer._compute_gradients(x, var_list, grad_loss, t), tape)

    # ---- what is the inner optimizer's ---------------------------------------------------------------------

    def __getattr__(self, name: str) -> Any:
        """A hyperparameter of the inner optimizer; it has other attributes, too, but only those are shown."""
        name = "learning_rate" if name == "lr" else name
        if name in self._optimizer._hyper:
            return getattr(self._optimizer, name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __setattr__(self, name: str, value: Any) -> None:
        """Hyperparameters go to the inner optimizer; what it does not have stays here, without effect."""
        name = "learning_rate" if name == "lr" else name
        if name in self._optimizer._hyper or name in ("iterations", "clipnorm", "clipvalue", "global_clipnorm"):
            setattr(self._optimizer, name, value)
        else:
            super().__setattr__(name, value)

    @property
    def iterations(self) -> Variable:
        """int64 scalar: steps of the inner optimizer, those that were not taken included."""
        return self._optimizer.iterations

    @property
    def clipnorm(self) -> float | None:
        """The inner optimizer's."""
        return self._optimizer.clipnorm

    @property
    def clipvalue(self) -> float | None:
        """The inner optimizer's."""
        return self._optimizer.clipvalue

    @property
    def global_clipnorm(self) -> float | None:
        """The inner optimizer's."""
        return self._optimizer.global_clipnorm

    def variables(self) -> list[Variable]:
        """The inner optimizer's state; the scale is no part of it."""
        return self._optimizer.variables()

    @property
    def weights(self) -> list[Variable]:
        """The same as `variables()`."""
        return self._optimizer.weights

    def get_weights(self) -> list[Any]:
        """The inner optimizer's state as a list of arrays."""
        return self._optimizer.get_weights()

    def set_weights(self, weights: Sequence[Any]) -> None:
        """The inner optimizer's state takes the values of a list; the scale stays."""
        self._optimizer.set_weights(weights)

    def get_slot_names(self) -> list[str]:
        """Names of the slots that a variable has in the inner optimizer."""
        return self._optimizer.get_slot_names()

    def get_slot(self, var: Variable, slot_name: str) -> Variable:
        """The slot `slot_name` of `var` in the inner optimizer."""
        return self._optimizer.get_slot(var, slot_name)

    def _create_all_weights(self, var_list: Any) -> None:
        """Make the inner optimizer's state of `var_list` without a step."""
        self._optimizer._create_all_weights(var_list)


class LossScaleOptimizer212(TakesInstances, LossScaleOptimizer):
    """The wrapper of TF 2.12 around a legacy optimizer."""


class LossScaleOptimizer215(LossScaleOptimizer212):
    """The wrapper of TF 2.15 around a legacy optimizer: sparse gradients are tested as they are."""

    _finite = staticmethod(finite_as_given)


class LossScaleOptimizer24(LossScaleOptimizer):
    """The wrapper of TF 2.4: the scale moves even where no gradient is left."""

    edition = "tf2.4"

    def _refuse_wrapped(self, inner_optimizer: Any) -> None:
        if isinstance(inner_optimizer, LossScaling):
            raise AttributeError("'LossScaleOptimizer' object has no attribute '_hyper'")
        if vars(inner_optimizer).get("_is_wrapped_by_loss_scale_optimizer"):
            raise ValueError(
                "Called Trackable._track_trackable() with name='loss_scale', but a Trackable with this name is already "
                "declared as a dependency."
            )

    def apply_gradients(
        self, grads_and_vars: Pairs, name: str | None = None, experimental_aggregate_gradients: bool = True
    ) -> None:
        """One step with gradients that are unscaled; a step without any counts as a finite one."""
        pairs = list(grads_and_vars)
        if self._takes([gradient for gradient, _ in pairs if gradient is not None]):
            self._optimizer.apply_gradients(pairs)
        else:
            self._skip()


class LossScaleOptimizerV1(LossScaleOptimizer24):
    """`tf.keras.mixed_precision.experimental.LossScaleOptimizer` of TF 2.4: the scale is one argument."""

    def __init__(self, optimizer: OptimizerV2, loss_scale: Any) -> None:
        if isinstance(loss_scale, int | float):
            super().__init__(optimizer, dynamic=False, initial_scale=loss_scale)
        elif isinstance(loss_scale, FixedLossScale):
            super().__init__(optimizer, dynamic=False, initial_scale=loss_scale.value)
        elif isinstance(loss_scale, MovingLossScale):
            if loss_scale.multiplier != 2:
                raise ValueError(
                    'When passing a DynamicLossScale to "loss_scale", DynamicLossScale.multiplier must be 2. '
                    f"Got: {loss_scale.multiplier}"
                )
            super().__init__(
                optimizer,
                initial_scale=loss_scale.initial_loss_scale,
                dynamic_growth_steps=loss_scale.increment_period,
            )
        elif loss_scale == "dynamic":
            super().__init__(optimizer)
        else:
            raise ValueError(
                'Invalid value passed to loss_scale. loss_scale must be the string "dynamic" (recommended), an int, a '
                f"float, a FixedLossScale, or a DynamicLossScale. Got value: {loss_scale}"
            )

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: CustomObjects | None = None) -> Any:
        """The wrapper that `get_config` described, which is that of any LossScaleOptimizer, or that of TF 2.3."""
        config = dict(config)
        if "loss_scale" in config:
            config["loss_scale"] = loss_scale_of(config["loss_scale"])
            return cls(**{**config, "optimizer": cls._inner(config["optimizer"], custom_objects)})
        dynamic, scale, steps = (config.pop(key) for key in ("dynamic", "initial_scale", "dynamic_growth_steps"))
        config["loss_scale"] = MovingLossScale(scale, steps) if dynamic else FixedLossScale(scale)
        inner = cls._inner(config.pop("inner_optimizer"), custom_objects)
        return cls(optimizer=inner, **config)
