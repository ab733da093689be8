"""LossScaleOptimizer of Keras 3: it takes the gradients of a scaled loss, and divides them itself.

Source       Micikevicius et al. 2018, Mixed Precision Training, arXiv:1710.03740, section 3.2;
             keras 3.15.1, src/optimizers/loss_scale_optimizer.py: LossScaleOptimizer.
State        iteration (int64) and learning_rate (float32) of its own, which stay 0; from the first step on
             step_counter (int64) and dynamic_scale (float32); then the inner optimizer's.
What it is   a finite step is the inner optimizer's, and only after it the scale may double; any other halves the
             scale, and nothing else happens. The scale has neither floor nor ceiling.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from goldenstep import spec

from ..bits import run_one
from ..formats import by_module
from ..formats import weights as _weights
from ..formats.custom import CustomObjects
from ..formats.identifiers import public
from ..naming import refuse_name, unique_name
from ..slices import replaced, values_of, with_values
from ..variable import Gradient, IndexedSlices, Variable
from .base import Wrapper

FLOAT32 = np.dtype(np.float32)
COMMON_ARGUMENTS = {
    argument["name"]: argument["default"]
    for argument in spec.editions()["keras3"]["arguments"]
    if "default" in argument and argument["name"] != "name"
}


class LossScaleOptimizer(Wrapper):
    """Dynamic loss scaling around another optimizer; a fixed scale is the inner optimizer's loss_scale_factor."""

    edition = "keras3"

    def __init__(
        self,
        inner_optimizer: Any,
        initial_scale: float = 2.0**15,
        dynamic_growth_steps: int = 2000,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        if not kwargs.pop("dynamic", True):
            raise ValueError(
                "LossScaleOptimizer no longer supports `dynamic=False`. Instead, simply set `loss_scale_factor` "
                "directly on the `inner_optimizer`."
            )
        for argument, default in COMMON_ARGUMENTS.items():
            given = kwargs.pop(argument, default)
            if given != default:
                raise ValueError(
                    f"LossScaleOptimizer does not support `{argument}`. Instead, set `{argument}` on the "
                    "`inner_optimizer`."
                )
        if kwargs:
            raise ValueError(f"LossScaleOptimizer does not support arguments: {', '.join(map(repr, kwargs))}.")
        refuse_name(name)
        vars(self).update(COMMON_ARGUMENTS)
        self.name = self._scope = name or unique_name("LossScaleOptimizer")
        self._iterations = Variable(np.int64(0), f"{self.name}/iteration")
        self._state = [self._iterations, Variable(np.float32(0), f"{self.name}/learning_rate")]
        self.inner_optimizer = inner_optimizer
        self.initial_scale = initial_scale
        self.dynamic_growth_steps = dynamic_growth_steps
        self.inner_optimizer.loss_scale_factor = None
        self._scoped = self.built = False

    def build(self, var_list: Sequence[Variable]) -> None:
        """Make the counter, the scale, and the inner optimizer's state."""
        self.step_counter = Variable(np.int64(0), f"{self._scope}/step_counter")
        self._state.append(self.step_counter)
        self.dynamic_scale = Variable(_started(self.initial_scale), f"{self._scope}/dynamic_scale")
        self._state.append(self.dynamic_scale)
        if not self._scoped:
            self.inner_optimizer.within(None, lost=True)
        self.inner_optimizer.build(var_list)
        self._trainable_variables = list(var_list)
        self.built = True

    def within(self, scope: str | None, lost: bool = True) -> None:
        """State that is made from now on is named inside another optimizer."""
        self._scoped = True
        self._scope = self.name if scope in (self.name, None) else f"{scope}/{self.name}"
        self.inner_optimizer.within(scope, lost=True)

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Gradient | None, Variable]]) -> Variable:
        """`apply` of a list of pairs; returns the wrapper's own iteration, which stays 0."""
        gradients, variables = zip(*grads_and_vars, strict=True)
        self.apply(gradients, variables)
        return self._iterations

    def apply(self, grads: Sequence[Gradient | None], trainable_variables: Sequence[Variable] | None = None) -> None:
        """One step with the gradients of a scaled loss: taken if they are finite; then the scale moves."""
        if not self.built:
            assert trainable_variables is not None
            self.within(self.name)
            self.build(trainable_variables)
        scale, count = self.dynamic_scale.value, int(self.step_counter.value)
        if not all(_finite(gradient) for gradient in grads if gradient is not None):
            self._move(0, run_one(lambda s: s / 2, scale))
            return
        variables = trainable_variables or self._trainable_variables
        unscaled = [
            g if g is None or v.overwrite_with_gradient else _divided(g, scale)
            for g, v in zip(grads, variables, strict=False)
        ]
        self.inner_optimizer.apply(unscaled, trainable_variables)
        if count == self.dynamic_growth_steps - 1:
            self._move(0, run_one(lambda s: s * 2, scale))
        else:
            self._move(count + 1, scale)

    def _move(self, count: int, scale: np.ndarray) -> None:
        self.step_counter.assign(count)
        self.dynamic_scale.assign(scale)

    def scale_loss(self, loss: Any) -> Any:
        """The loss times the scale; before the first step times initial_scale, a Python number."""
        if callable(loss):
            raise ValueError("Attempt to convert a function to a Tensor: scale_loss takes a number or an array.")
        if not self.built:
            return run_one(lambda x: x * x.dtype.type(self.initial_scale), loss)
        dtype = np.promote_types(loss.dtype, FLOAT32)
        return run_one(lambda x, s: x * s, loss.astype(dtype), self.dynamic_scale.value.astype(dtype))

    # ---- config and state ----------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """Name, the document of the inner optimizer, and the scale as it was at first."""
        return {
            "name": self.name,
            "inner_optimizer": by_module.serialize(self.inner_optimizer, public("keras3")),
            "initial_scale": self.initial_scale,
            "dynamic_growth_steps": self.dynamic_growth_steps,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: CustomObjects | None = None) -> Any:
        """The wrapper that `get_config` described; `inner_optimizer` is taken out of `config`."""
        inner = by_module.deserialize(config.pop("inner_optimizer"), public("keras3"), None, custom_objects)
        return cls(inner, **config)

    def set_weights(self, weights: Sequence[Any]) -> None:
        """The wrapper's own state takes the first values of a list; as shipped, the inner optimizer's stays."""
        _weights.set_weights(self.built, self._state, weights)

    def save_own_variables(self, store: _weights.Store) -> None:
        """Put the state, the inner optimizer's included, into a store, each array under its number."""
        _weights.save_own_variables(self.variables, store)

    def load_own_variables(self, store: _weights.Store) -> None:
        """Take the state out of a store; if it has another number of arrays, nothing, with a warning."""
        _weights.warned(_weights.load_own_variables(self.name, self.variables, store))

    # ---- what is the inner optimizer's ---------------------------------------------------------------------

    @property
    def variables(self) -> list[Variable]:
        """The wrapper's own state, then the inner optimizer's."""
        return [*self._state, *self.inner_optimizer.variables]

    @property
    def iterations(self) -> Any:
        """int64 scalar: steps that the inner optimizer has taken."""
        return self.inner_optimizer.iterations

    @property
    def learning_rate(self) -> Any:
        """The inner optimizer's."""
        return self.inner_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        self.inner_optimizer.learning_rate = value

    def finalize_variable_values(self, var_list: Sequence[Variable]) -> None:
        """The inner optimizer's."""
        self.inner_optimizer.finalize_variable_values(var_list)

    def exclude_from_weight_decay(
        self, var_list: Sequence[Variable] | None = None, var_names: Sequence[str] | None = None
    ) -> None:
        """Nothing: the release keeps it in the wrapper, where nobody looks."""


def _started(initial_scale: float) -> np.ndarray:
    """A Python number as a float32 scalar; ValueError for None, and for what float32 does not hold."""
    scale = np.asarray(initial_scale, np.float64)
    with np.errstate(over="ignore"):
        narrow = scale.astype(FLOAT32)
    if initial_scale is None or (np.isinf(narrow) and not np.isinf(scale)):
        raise ValueError(f"initial_scale must be a number that float32 holds. Received: {initial_scale}")
    return narrow


def _finite(gradient: Gradient) -> bool:
    """Is every number finite? As shipped, of the rows of a sparse gradient with the same index the last one counts."""
    if not isinstance(gradient, IndexedSlices):
        return bool(np.isfinite(gradient).all())
    finite = np.isfinite(gradient.values)
    return bool(replaced(np.ones(gradient.dense_shape, bool), gradient.indices, finite).all())


def _divided(gradient: Gradient, scale: np.ndarray) -> Gradient:
    """The gradient, or its rows, by the scale; what is narrower than float32 becomes float32."""
    (values,) = values_of([gradient])
    dtype = np.promote_types(values.dtype, FLOAT32)
    quotient = run_one(lambda g, s: g / s, values.astype(dtype), scale.astype(dtype))
    return with_values([gradient], [quotient])[0]
