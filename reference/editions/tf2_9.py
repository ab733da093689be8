"""tf2.9: `tf.keras.optimizers.experimental` of TensorFlow 2.9, eager; `legacy` beside it.

Source       keras 2.9.0, optimizers/optimizer_experimental/optimizer.py: Optimizer.apply_gradients.
What it is   the first of the new generation: state is made for the variables that have a gradient on the first
             step; no weight decay in the pipeline; the iteration is counted before the moving average looks at
             it; constraints are ignored.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from types import SimpleNamespace
from typing import Any

from .. import clipping, steps
from .. import constraints as _constraints
from ..formats.identifiers import functions_of_optimizer_v2, schedule_functions
from ..minimizing import warn_of_missing
from ..optimizer import optimizers_of
from ..own import OwnKeras29, OwnV2, subclassable
from ..replicas import Step, alone
from ..schedules import LearningRateSchedule, called, schedules_of
from ..slices import values_of, with_values
from ..variable import Gradient, Variable
from ..wrappers import loss_scale_v2, loss_scale_v3
from ..wrappers.loss_scale import loss_scale_chooser
from ..wrappers.loss_scale_config import loss_scale_optimizers_of
from .optimizer_v2 import LegacyOptimizer, OptimizerV2
from .tf2_12 import Keras2Optimizer, refuse_common, refuse_rate, refuse_to_leave

DEPRECATED = ("lr", "decay", "gradient_transformers", "gradient_aggregator")


class Base(Keras2Optimizer):
    """Base class of the experimental optimizers."""

    _late_list = False

    def _accept(self, kwargs: dict[str, Any]) -> None:
        refuse_common(self._config, "> 1")
        for key in kwargs:
            if key not in DEPRECATED:
                raise TypeError(
                    f"{key} is not a valid argument, kwargs should be empty for `optimizer_experimental.Optimizer`."
                )
            logging.warning("%s is deprecated in `optimizer_experimental.Optimizer`.", key)
        refuse_rate(self._config["learning_rate"])
        self._config["jit_compile"] = False  # There is no GPU.
        self._config["learning_rate"] = called(self._config["learning_rate"])

    def apply_gradients(  # type: ignore[override]  # the release returns nothing and knows fewer arguments
        self, grads_and_vars: Iterable[tuple[Gradient | None, Variable]], skip_gradients_aggregation: bool = False
    ) -> None:
        """One step, see `_step`."""
        alone(self._step(grads_and_vars, skip_gradients_aggregation))

    def _step(  # type: ignore[override]  # as above
        self, grads_and_vars: Iterable[tuple[Gradient | None, Variable]], skip_gradients_aggregation: bool = False
    ) -> Step:
        """Sum over replicas, clip, for each variable its rule, count, then averages."""
        present = steps.with_gradient(warn_of_missing(grads_and_vars))
        gradients, variables = [gradient for gradient, _ in present], [variable for _, variable in present]
        if gradients and not skip_gradients_aggregation:
            gradients = yield gradients
        self._follow_schedule()
        if not present:
            raise ValueError("not enough values to unpack (expected 2, got 0)")
        self._build_in_step(variables, self.name or "optimizer")
        clipped = clipping.by_norm_or_global_norm_or_value(values_of(gradients), self._config)
        hyper = {**self._config, "learning_rate": self.learning_rate.value[()], "t": int(self._iterations.value) + 1}
        for gradient, variable in zip(with_values(gradients, clipped), variables, strict=True):
            self._update(self._known(variable), gradient, hyper)
        self._iterations.value = self._iterations.value + 1
        if self._config["use_ema"]:
            steps.move_averages(self._averages, variables, self._config["ema_momentum"])
            frequency = self._config["ema_overwrite_frequency"]
            if frequency and self._iterations.value % frequency == 0:
                self.finalize_variable_values(variables)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:  # type: ignore[override]  # it knows no custom objects
        """The optimizer that `get_config` described."""
        return super().from_config(config)

    def build(self, var_list: Sequence[Variable]) -> None:
        """Make the state for `var_list`, in the order of the attributes that hold it."""
        if not self._plans:
            self._state = []
        super().build(var_list)

    def _track(self, variable: Variable) -> Variable:
        """New variables are part of the state only as attributes of the optimizer."""
        return variable

    @property
    def variables(self) -> tuple[Variable, ...]:  # type: ignore[override]  # a tuple in this release alone
        """The state, by the names of the attributes that hold it."""
        return tuple(self._state)

    @property
    def trainable_variables(self) -> tuple[Variable, ...]:
        """None of the state is trained."""
        return ()

    @property
    def iterations(self) -> Variable:
        """int64 scalar: how many updates have been applied; a new variable only before the first."""
        return self._iterations

    @iterations.setter
    def iterations(self, variable: Variable) -> None:
        replaced = self._iterations
        self._refuse_iterations()
        self._iterations = variable
        variable.name = f"{variable.name.removesuffix(':0')}:0"
        self._slots["iteration", None] = variable
        self._state = [variable if known is replaced else known for known in self._state]

    def _take_schedule(self, schedule: LearningRateSchedule) -> None:
        """A schedule can be given to the constructor only."""
        refuse_to_leave(self._schedule)
        raise ValueError(f"Attempt to convert a value ({schedule}) with an unsupported type to a Tensor.")


constraints = _constraints.KERAS_2
globals().update(optimizers_of("tf2.9", Base))
Optimizer = subclassable("tf2.9", Base, OwnKeras29)
schedules = schedule_functions("tf2.9", schedules_of("tf2.9", "optimizers.schedules"))
globals().update(functions_of_optimizer_v2("tf2.9"))
experimental = SimpleNamespace(**{name: globals()[name] for name in optimizers_of("tf2.9", Base)})
legacy = SimpleNamespace(**optimizers_of("tf2.9.legacy", LegacyOptimizer), constraints=constraints)
legacy.Optimizer = subclassable("tf2.9.legacy", LegacyOptimizer, OwnV2)
loss_scale_optimizers = loss_scale_optimizers_of(
    {"tf2.9.legacy": loss_scale_v2.LossScaleOptimizer, "tf2.9": loss_scale_v3.LossScaleOptimizer29}
)
mixed_precision = SimpleNamespace(
    LossScaleOptimizer=loss_scale_chooser(
        dict(zip((OptimizerV2, Keras2Optimizer), loss_scale_optimizers.values(), strict=True))
    )
)


def __getattr__(name: str) -> Any:
    """For type checkers: the classes are made from the specification."""
    raise AttributeError(f"tf2.9 has no {name!r}")
