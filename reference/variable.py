"""What an optimizer works on: variables, and gradients that touch only some rows of one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin
from numpy.typing import ArrayLike, DTypeLike

Constraint = Callable[[np.ndarray], np.ndarray]


class Variable(NDArrayOperatorsMixin):
    """A named array of fixed shape and dtype that an optimizer may overwrite.

    `value` is the present array; it is replaced, never changed in place. In arithmetic a variable stands for its value.
    """

    __slots__ = ("constraint", "name", "overwrite_with_gradient", "value")

    def __init__(
        self,
        value: ArrayLike,
        name: str = "variable",
        constraint: Constraint | None = None,
        dtype: DTypeLike | None = None,
    ) -> None:
        self.value: np.ndarray = np.array(value, dtype)
        if dtype is None and not isinstance(value, np.ndarray | np.generic) and self.value.dtype == np.float64:
            self.value = self.value.astype(np.float32)
        self.name = name
        self.constraint = constraint
        self.overwrite_with_gradient = False  # Keras 3: a step sets it to its gradient, as float8 training wants

    @property
    def path(self) -> str:
        """The name; Keras 3 calls it so."""
        return self.name

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each dimension."""
        return self.value.shape

    @property
    def dtype(self) -> np.dtype:
        """numpy's dtype of the value."""
        return self.value.dtype

    def assign(self, value: ArrayLike) -> None:
        """Replace the value; it is cast to the variable's dtype and must have its shape."""
        value = np.asarray(value, self.dtype)
        if value.shape != self.shape:
            raise ValueError(f"{self.name}: expected a value of shape {self.shape}, got {value.shape}")
        self.value = value.copy()

    def assign_add(self, value: ArrayLike) -> None:
        """Add to the value, in the variable's dtype."""
        self.assign(self.value + np.asarray(value, self.dtype))

    def assign_sub(self, value: ArrayLike) -> None:
        """Subtract from the value, in the variable's dtype."""
        self.assign(self.value - np.asarray(value, self.dtype))

    def numpy(self) -> np.ndarray:
        """A copy of the value."""
        return self.value.copy()

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.value, dtype=dtype, copy=copy)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *given: Any, **options: Any) -> Any:
        values = [x.value if isinstance(x, Variable) else x for x in given]
        return getattr(ufunc, method)(*values, **options)

    # As TensorFlow's and Keras' variables: compared and hashed by identity.
    def __eq__(self, other: object) -> bool:
        return self is other

    def __ne__(self, other: object) -> bool:
        return self is not other

    __hash__ = object.__hash__

    @property
    def device(self) -> str:
        """Where the variable lives, for optimizers that ask: there is one place, without a name."""
        return ""

    def __float__(self) -> float:
        return float(self.value)

    def __int__(self) -> int:
        return int(self.value)

    def __repr__(self) -> str:
        return f"Variable({self.name!r}, shape={self.shape}, dtype={self.dtype})"


def initial(initializer: Any, shape: Sequence[int], dtype: DTypeLike) -> np.ndarray:
    """The first value of a new variable: of "zeros" or "ones", of a function of shape and dtype, or of a number."""
    if isinstance(initializer, str):
        return np.full(tuple(shape), {"zeros": 0, "ones": 1}[initializer], dtype)
    if callable(initializer):
        return np.asarray(initializer(tuple(shape), dtype))
    return np.broadcast_to(np.asarray(initializer, dtype), tuple(shape)).copy()


class IndexedSlices:
    """A gradient of some rows: `values[i]` belongs to row `indices[i]` of an array of shape `dense_shape`."""

    __slots__ = ("dense_shape", "indices", "values")

    def __init__(self, values: ArrayLike, indices: ArrayLike, dense_shape: Sequence[int]) -> None:
        self.values: np.ndarray = np.asarray(values)
        self.indices: np.ndarray = np.asarray(indices, None if hasattr(indices, "dtype") else np.int64)
        self.dense_shape = tuple(dense_shape)


Gradient = np.ndarray | IndexedSlices
