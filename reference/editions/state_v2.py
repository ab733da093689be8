"""OptimizerV2's hyperparameters, slots and weights: made when they are first needed, open to subclasses.

Source       tensorflow 2.4.4, keras/optimizer_v2/optimizer_v2.py: OptimizerV2 (`_set_hyper`, `add_slot`, ...).
What it is   a number given as hyperparameter becomes a float32 variable when one of them is read, or in the first
             step; a function, a schedule, and what replaces them stay what they are. Slots and `iterations`
             are the weights, in the order in which they were made.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from goldenstep import spec

from ..bits import in_range
from ..formats import weights as _weights
from ..formats.config import Configured
from ..minimizing import Pairs, gradients_of
from ..schedules import LearningRateSchedule, called
from ..variable import Variable, initial

PRIVATE = ("initial_accumulator_value", "l2_shrinkage_regularization_strength")
"""Arguments that are kept under another name: no attributes, unless one is set, which has no effect."""


class StateV2(Configured):
    """The part of OptimizerV2 that holds what a step reads and writes."""

    apply_gradients: Callable[..., Variable | None]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._slot_names: list[str] = []
        self._hypers_created = False
        super().__init__(*args, **kwargs)
        self._options_changed = False
        self._state = []

    # ---- hyperparameters ---------------------------------------------------------------------------------

    def __getattr__(self, name: str) -> Any:
        """A hyperparameter; `lr` is another name of `learning_rate`."""
        name = "learning_rate" if name == "lr" else name
        if name in PRIVATE:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return self._get_hyper(name) if name in self.__dict__.get("_hyper", ()) else super().__getattr__(name)

    def __setattr__(self, name: str, value: Any) -> None:
        name = "learning_rate" if name == "lr" else name
        if name in PRIVATE:
            object.__setattr__(self, name, value)
        elif name in self.__dict__.get("_hyper", ()):
            self._set_hyper(name, value)
        else:
            if name in self.__dict__.get("_config", ()):
                self.__dict__["_options_changed"] = True
            super().__setattr__(name, value)

    def _set_hyper(self, name: str, value: Any) -> None:
        """A hyperparameter, new or old: number, function or schedule; a variable takes numbers, or gives way to one.

        As shipped, a scalar of numpy, such as a config has, is taken for a variable: AttributeError.
        """
        held = self._hyper.get(name)
        if name not in self._hyper or isinstance(value, LearningRateSchedule) or replaceable(held):
            self._hyper[name] = value
        elif isinstance(held, Variable):
            held.assign(value)
        else:
            raise AttributeError(f"{type(held).__name__!r} object has no attribute 'assign'")

    def _get_hyper(self, name: str, dtype: DTypeLike | None = None) -> Any:
        """A hyperparameter now: a variable, what a function returns, or a schedule; cast if a dtype is given."""
        self._create_hypers()
        value = called(self._hyper[name])
        if isinstance(value, LearningRateSchedule) or dtype is None:
            return value
        return np.asarray(np.float32(value) if isinstance(value, int | float) else value, dtype)

    def _create_hypers(self) -> None:
        """Numbers become float32 variables, once."""
        if self._hypers_created:
            return
        for name, value in sorted(self._hyper.items()):
            if isinstance(value, str):
                raise ValueError(f"Unknown initializer: {value}")
            if value is None:
                raise TypeError(f"{name} must be a number. Received: None")
            if not callable(value) and not isinstance(value, Variable):
                self._hyper[name] = self.add_weight(name, [], initializer=value)
        self._hypers_created = True

    def _now(self, name: str) -> Any:
        """A hyperparameter as a number of float32, called if it is a function; a schedule is given as it is."""
        value = self._get_hyper(name)
        value = value.value[()] if isinstance(value, Variable) else value
        return np.float32(value) if isinstance(value, int | float | np.integer) else value

    # ---- weights -----------------------------------------------------------------------------------------

    def add_weight(self, name: str, shape: Sequence[int], dtype: DTypeLike | None = None, initializer: Any = "zeros",
                   **_: Any) -> Variable:  # fmt: skip
        """A new variable, float32 unless said otherwise; it is none of the weights.

        A number as initializer is the variable's value, int32 or float32 (a scalar of numpy keeps its dtype), whatever
        dtype is given; ValueError unless the shape is that of one.
        """
        if isinstance(initializer, np.number):
            return Variable(np.asarray(initializer), f"{name}:0")
        if isinstance(initializer, int | float):
            if tuple(shape):
                raise ValueError(f"{name}: expected the shape () of the initial value, got {tuple(shape)}.")
            kind = np.int32 if isinstance(initializer, int) else np.float32
            return Variable(in_range(initializer, kind), f"{name}:0")
        return Variable(initial(initializer, shape, dtype or np.float32), f"{name}:0")

    def variables(self) -> list[Variable]:
        """The state in the order of creation: the iteration, then the slots."""
        return list(self._state)

    @property
    def weights(self) -> list[Variable]:
        """The same as `variables()`."""
        return list(self._state)

    def get_weights(self) -> list[np.ndarray]:
        """The values of the weights."""
        return [variable.numpy() for variable in self._state]

    def set_weights(self, weights: Sequence[np.ndarray]) -> None:
        """Overwrite all weights; ValueError for another number of arrays or another shape, before anything changes."""
        _weights.set_weights_v2(self.optimizer, self.name, self._state, weights)

    @property
    def iterations(self) -> Variable:
        """int64 scalar: how many updates have been applied. It is made when it is first asked for."""
        if not any(variable is self._iterations for variable in self._state):
            self._iterations.name = "iter:0"
            self._state.append(self._iterations)
        return self._iterations

    @iterations.setter
    def iterations(self, variable: Variable) -> None:
        if any(known is self._iterations for known in self._state):
            raise RuntimeError(
                "Cannot set `iterations` to a new Variable after the Optimizer weights have been created"
            )
        variable.name = f"{variable.name.removesuffix(':0')}:0"
        self._iterations = self._slots["iteration", None] = variable
        self._state.append(variable)

    # ---- slots -------------------------------------------------------------------------------------------

    def add_slot(self, var: Variable, slot_name: str, initializer: Any = "zeros") -> Variable:
        """The slot of a variable: a new weight of the variable's shape and dtype, unless there is one of that name.

        `initializer` is "zeros", "ones", a function of shape and dtype, or the first value.
        """
        return self._add_slot(var, slot_name, initializer, var.shape)

    def _add_slot(self, var: Variable, slot_name: str, initializer: Any, shape: Sequence[int]) -> Variable:
        if slot_name not in self._slot_names:
            self._slot_names.append(slot_name)
        key = self._symbol(slot_name), id(var)
        if key not in self._slots:
            value = initializer
            if isinstance(initializer, str) or callable(initializer):
                value = initial(initializer, shape, var.dtype)
            self._slots[key] = Variable(value, f"{var.name}/{slot_name}:0")
            self._state.append(self._slots[key])
        return self._slots[key]

    def get_slot(self, var: Variable, slot_name: str) -> Variable:
        """The slot `slot_name` of `var`; KeyError if there is none."""
        return self._slots[self._symbol(slot_name), id(var)]

    def get_slot_names(self) -> list[str]:
        """Names of the slots that were made so far, each once."""
        return list(self._slot_names)

    def _symbol(self, slot_name: str) -> str:
        """What a rule calls the slot; a slot of no rule is called by its own name."""
        return self._symbols().get(slot_name, f"slot {slot_name}")

    def _symbols(self, **when: Any) -> dict[str, str]:
        """The symbols of the optimizer's own slots by their names, of those that a config asks for if one is given."""
        groups = [entry for entry in spec.state(self.optimizer, self.edition) if not isinstance(entry, str)]
        asked = [group for group in groups if not when or spec.holds(group.get("when", {}), when)]
        return {name: symbol for group in asked for symbol, name in group["slots"].items()}

    def _create_slots(self, var_list: Sequence[Variable]) -> dict[tuple[str, int | None], Variable]:
        """The state of these variables; one that stands twice has it once."""
        made = super()._create_slots(list({id(v): v for v in var_list}.values()))
        slots = spec.optimizers()[self.optimizer]["slots"]
        for name, symbol in self._symbols(**self._config).items() if var_list else ():
            if name not in self._slot_names and slots[symbol].get("per") != "optimizer":
                self._slot_names.append(name)
        return made

    def _create_all_weights(self, var_list: Sequence[Variable]) -> None:
        """Make what is missing: the iteration, hyperparameters, slots; some take their dtype from `var_list`."""
        new = [v for v in var_list if id(v) not in self._plans or self._options_changed]
        if new or not any(variable is self._iterations for variable in self._state):
            self._create_hypers()
            self._create_slots(new)
        once = any(slot.get("per") == "optimizer" for slot in spec.optimizers()[self.optimizer]["slots"].values())
        if once and not var_list:
            raise IndexError("list index out of range")

    # ---- minimize ----------------------------------------------------------------------------------------

    def minimize(
        self, loss: Any, var_list: Any, grad_loss: Any = None, name: str | None = None, tape: Any = None
    ) -> Variable | None:
        """One step down a loss: a function without arguments, or a value with the tape that it is on.

        `var_list` is a variable, a list of them, or a function that returns a list after the loss was called.
        """
        return self.apply_gradients(self._compute_gradients(loss, var_list, grad_loss, tape), name)

    def _compute_gradients(self, loss: Any, var_list: Any, grad_loss: Any = None, tape: Any = None) -> Pairs:
        """The pairs of gradient and variable that `minimize` applies; a gradient may be None."""
        return gradients_of(loss, var_list, tape, grad_loss, flatten=True)


def replaceable(held: Any) -> bool:
    """Does another value take the place of a hyperparameter, rather than go into it?"""
    return isinstance(held, int | float) or callable(held)


class SlotsOfAnyShape:
    """TensorFlow 2.9 and later: a slot may have another shape than its variable."""

    _add_slot: Callable[..., Variable]

    def add_slot(
        self, var: Variable, slot_name: str, initializer: Any = "zeros", shape: Sequence[int] | None = None
    ) -> Variable:
        """The slot of a variable, of its shape unless another is given."""
        return self._add_slot(var, slot_name, initializer, var.shape if shape is None else shape)
