"""What Keras 3's optimizers offer beside a step: variables of their own, assignments, a scaled loss.

Source       keras 3.15.1, src/optimizers/base_optimizer.py: BaseOptimizer; src/backend/tensorflow/optimizer.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from goldenstep.spec.layout import Entry

from ..formats.config import Configured
from ..naming import numbered
from ..variable import Gradient, Variable, initial


class StateKeras3(Configured):
    """The part of the base of Keras 3 that does not belong to a step."""

    _outer: str | None = ""
    _lost: bool = False
    built: bool

    def within(self, scope: str | None, lost: bool) -> None:
        """State is made by a wrapper: inside its scope, or in none; what is made apart may be lost all the same."""
        self._outer = scope or ""
        self._lost = lost or bool(scope)

    def _scope(self) -> str:
        return f"{self._outer}/{self.name}" if self._outer else str(self.name)

    def _started(self, entry: Entry, owner: Variable | None) -> Variable:
        """What is made apart for the whole optimizer has no name of its own, only a number."""
        made = super()._started(entry, owner)
        if entry.apart and entry.owner is None:
            names = self._names_apart
            name = names[entry.slot] = names.get(entry.slot) or numbered("variable")
            made.name = made.name.removesuffix("variable") + name
        return made

    def _loses(self, entry: Entry, held: Variable) -> bool:
        """What is made apart has the name of the scope alone; a wrapper that has a scope loses it."""
        if entry.apart and self._outer == "":
            held.name = held.name.removeprefix(f"{self._scope()}/")
        return entry.apart and self._lost

    @property
    def _u_product(self) -> Variable | None:
        """Nadam's product of momenta where a wrapper has lost it; None where it is among the variables, or is not."""
        return self._slots.get(("u_product", None)) if self._lost else None

    def add_variable(
        self,
        shape: Sequence[int],
        initializer: Any = "zeros",
        dtype: DTypeLike | None = None,
        aggregation: str = "none",
        layout: Any = None,
        name: str | None = None,
    ) -> Variable:
        """A new variable of the optimizer, float32 unless said otherwise."""
        value = initial(initializer, shape, dtype or np.float32)
        self._state.append(Variable(value, f"{self.name}/{name or numbered('variable')}"))
        return self._state[-1]

    def add_variable_from_reference(
        self, reference_variable: Variable, name: str | None = None, initializer: Any = "zeros"
    ) -> Variable:
        """A new variable of the shape and dtype of a model's, which gives it the first part of its name."""
        of = reference_variable.path.replace("/", "_")
        return self.add_variable(
            reference_variable.shape, initializer, reference_variable.dtype, name=f"{of}_{name or 'var'}"
        )

    def add_optimizer_variables(
        self, trainable_variables: Sequence[Variable], name: str | Sequence[str], initializer: Any = "zeros"
    ) -> Any:
        """A list of new variables, one per variable of the model; for a list of names a tuple of such lists.

        None stands for that of a variable which its gradient overwrites.
        """
        names = [name] if isinstance(name, str) else list(name)
        single = isinstance(name, str) or not isinstance(initializer, list | tuple)
        initializers = [initializer] * len(names) if single else list(initializer)
        if len(names) != len(initializers):
            raise ValueError(f"expected as many initializers as names. Received: {name=}, {initializer=}")
        made: tuple[list[Variable | None], ...] = tuple([] for _ in names)
        for variable in trainable_variables:
            for group, own_name, first in zip(made, names, initializers, strict=True):
                needless = variable.overwrite_with_gradient
                group.append(None if needless else self.add_variable_from_reference(variable, own_name, first))
        return made[0] if isinstance(name, str) else made

    def assign(self, variable: Variable, value: ArrayLike) -> None:
        """Overwrite a variable."""
        variable.assign(value)

    def assign_add(self, variable: Variable, value: ArrayLike) -> None:
        """Add to a variable."""
        variable.assign_add(value)

    def assign_sub(self, variable: Variable, value: ArrayLike) -> None:
        """Subtract from a variable."""
        variable.assign_sub(value)

    def scale_loss(self, loss: Any) -> Any:
        """The loss times `loss_scale_factor`, if there is one."""
        factor = self._config["loss_scale_factor"]
        return loss if factor is None else loss * factor

    def stateless_apply(self, optimizer_variables: Any, grads: Any, trainable_variables: Any) -> None:
        """ValueError: as shipped, the TensorFlow backend has none."""
        raise ValueError("stateless_apply is not supported with the TensorFlow backend.")

    def update_step(self, gradient: Gradient, variable: Variable, learning_rate: Any) -> None:
        """The rule alone, for one variable; AttributeError before the optimizer is built."""
        if not self.built:
            raise AttributeError(f"{self.optimizer} has no slots before it is built")
        rate = np.asarray(learning_rate)[()]
        self._update(variable, gradient, {**self._config, "learning_rate": rate, "t": int(self.iterations) + 1})
