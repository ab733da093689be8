"""Loss scaling as all of Keras 2 does it: the scale, and how it meets losses and gradients.

Source       Micikevicius et al. 2018, Mixed Precision Training, arXiv:1710.03740, section 3.2;
             keras 2.12.0, mixed_precision/loss_scale_optimizer.py: _DynamicLossScaleState.
State        current_loss_scale: float32 scalar, starts at initial_scale.
             counter: int64 scalar, finite steps since the scale has last changed, starts at 0.
Units        the scale is a plain factor on the loss, and so on its gradients.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..bits import Operand, cast, run_one
from ..minimizing import Pairs
from ..slices import densified, values_of, with_values
from ..tape import Tape
from ..variable import Gradient, Variable
from .base import Wrapper

FLOAT32 = np.dtype(np.float32)
INITIAL_SCALE = 2**15
GROWTH_STEPS = 2000


class DynamicLossScale:
    """A scale that doubles after `growth_steps` finite steps, and halves, but not below 1, after any other."""

    def __init__(self, initial_loss_scale: float, growth_steps: int) -> None:
        self.initial_loss_scale = float(initial_loss_scale)
        self.growth_steps = int(growth_steps)
        self.current_loss_scale = Variable(cast(FLOAT32, self.initial_loss_scale)[0], "current_loss_scale:0")
        self.counter = Variable(np.int64(0), "good_steps:0")

    def update(self, finite: bool) -> None:
        """A step: count it if it is finite; a doubled scale that is not finite is dropped."""
        scale, count = self.current_loss_scale.value, int(self.counter.value) + 1
        if not finite:
            scale, count = run_one(lambda s: np.maximum(s / 2, 1), scale), 0
        elif count >= self.growth_steps:
            doubled, count = run_one(lambda s: s * 2, scale), 0
            scale = doubled if np.isfinite(doubled) else scale
        self.current_loss_scale.assign(scale)
        self.counter.assign(count)


class LossScaling(Wrapper):
    """What the wrappers of Keras 2 share. A fixed scale is a float, and never moves."""

    @staticmethod
    def _finite(gradients: Sequence[Gradient]) -> bool:
        """Is every number of a step finite? Each release has its own way with sparse gradients."""
        raise NotImplementedError

    def __init__(
        self, inner_optimizer: Any, dynamic: bool, initial_scale: float | None, dynamic_growth_steps: int | None
    ) -> None:
        if not isinstance(dynamic, bool):
            raise TypeError(f'"dynamic" argument to LossScaleOptimizer.__init__ must be a bool, but got: {dynamic!r}')
        self._refuse_wrapped(inner_optimizer)
        if not dynamic and initial_scale is None:
            raise ValueError('"initial_scale" must be specified if "dynamic" is False')
        if not dynamic and dynamic_growth_steps is not None:
            raise ValueError(
                f'"dynamic_growth_steps" must be None if "dynamic" is False, but got: {dynamic_growth_steps}'
            )
        scale = INITIAL_SCALE if initial_scale is None else initial_scale
        steps = GROWTH_STEPS if dynamic_growth_steps is None else dynamic_growth_steps
        vars(self)["_loss_scale"] = DynamicLossScale(scale, steps) if dynamic else float(scale)
        vars(self)["_optimizer"] = inner_optimizer
        inner_optimizer.__dict__["_is_wrapped_by_loss_scale_optimizer"] = True

    def _refuse_wrapped(self, inner_optimizer: Any) -> None:
        """TypeError for another wrapper, ValueError for an optimizer that has one."""
        if isinstance(inner_optimizer, LossScaling):
            raise TypeError(f"LossScaleOptimizer cannot wrap another LossScaleOptimizer, but got: {inner_optimizer}")
        if vars(inner_optimizer).get("_is_wrapped_by_loss_scale_optimizer"):
            raise ValueError(
                '"inner_optimizer" is already wrapped by a LossScaleOptimizer. An optimizer can only be wrapped by a '
                "single LossScaleOptimizer"
            )

    def _takes(self, gradients: Sequence[Gradient]) -> bool:
        """Move the scale, and say whether the step is taken: always, where the scale is fixed."""
        if not isinstance(self._loss_scale, DynamicLossScale):
            return True
        finite = self._finite(gradients)
        self._loss_scale.update(finite)
        return finite

    def _skip(self) -> None:
        """A step that is not taken counts all the same."""
        iterations = self._optimizer.iterations
        iterations.assign(iterations.value + 1)

    def get_scaled_loss(self, loss: Any) -> Any:
        """The loss times the scale, which is cast to its dtype first; a function gives a function."""
        if callable(loss):
            return lambda: self.get_scaled_loss(loss())
        (scale,) = cast(loss.dtype, self.loss_scale)
        return run_one(lambda x, s: x * s, loss, scale) if isinstance(loss, np.ndarray | np.generic) else loss * scale

    def _unscaled(self, loss: Any, gradients_of: Callable[[Any, Any], Pairs], tape: Any) -> Pairs:
        """The pairs of a loss that is scaled on its tape, unscaled again."""
        tape = Tape() if tape is None else tape
        with tape:
            loss = self.get_scaled_loss(loss)
        pairs = gradients_of(loss, tape)
        gradients = self.get_unscaled_gradients([gradient for gradient, _ in pairs])
        return list(zip(gradients, (variable for _, variable in pairs), strict=True))

    def get_unscaled_gradients(self, grads: Sequence[Gradient | None]) -> list[Gradient | None]:
        """Each gradient times 1 / scale, which is taken in float32 and cast to its dtype; None stays None."""
        rest = run_one(lambda s: 1 / s, self.loss_scale)
        return [g if g is None else _multiplied(g, rest) for g in grads]

    @property
    def inner_optimizer(self) -> Any:
        """The optimizer that is wrapped."""
        return self._optimizer

    @property
    def dynamic(self) -> bool:
        """Does the scale move?"""
        return isinstance(self._loss_scale, DynamicLossScale)

    @property
    def loss_scale(self) -> Any:
        """The scale as it is now: a float32 scalar."""
        scale = self._loss_scale
        return scale.current_loss_scale.value[()] if isinstance(scale, DynamicLossScale) else np.float32(scale)

    @property
    def initial_scale(self) -> float:
        """The scale at first."""
        scale = self._loss_scale
        return scale.initial_loss_scale if isinstance(scale, DynamicLossScale) else scale

    @property
    def dynamic_counter(self) -> Variable | None:
        """int64 scalar: finite steps since the scale has last changed; None if it is fixed."""
        return self._loss_scale.counter if isinstance(self._loss_scale, DynamicLossScale) else None

    @property
    def dynamic_growth_steps(self) -> int | None:
        """After how many finite steps the scale doubles; None if it is fixed."""
        return self._loss_scale.growth_steps if isinstance(self._loss_scale, DynamicLossScale) else None

    _loss_scale: DynamicLossScale | float
    _optimizer: Any


def _multiplied(gradient: Gradient, factor: Operand) -> Gradient:
    """The gradient, or its rows, times a factor that is cast to its dtype."""
    (values,) = values_of([gradient])
    return with_values([gradient], [run_one(lambda g, f: g * f, values, *cast(values.dtype, factor))])[0]


def finite_as_sums(gradients: Sequence[Gradient]) -> bool:
    """Is every number finite? Rows of a sparse gradient with the same index are added up first."""
    return all(bool(np.isfinite(densified(gradient)).all()) for gradient in gradients)


def finite_as_given(gradients: Sequence[Gradient]) -> bool:
    """Is every number finite? Rows of a sparse gradient are taken as they are."""
    return all(bool(np.isfinite(values).all()) for values in values_of(gradients))


def loss_scale_chooser(wrappers: dict[type, type[LossScaling]]) -> Callable[..., LossScaling]:
    """The public `LossScaleOptimizer` of an edition that has two: the class of the inner optimizer chooses."""

    def LossScaleOptimizer(inner_optimizer: Any, *args: Any, **kwargs: Any) -> LossScaling:  # noqa: N802
        """The wrapper of the inner optimizer's generation; see its class for the arguments."""
        for kind, wrapper in wrappers.items():
            if isinstance(inner_optimizer, kind | wrapper):
                return wrapper(inner_optimizer, *args, **kwargs)
        raise TypeError(f'"inner_optimizer" must be an instance of an optimizer, but got: {inner_optimizer}.')

    return LossScaleOptimizer
