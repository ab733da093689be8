"""Numbers as JSON has them: the shortest decimal that reads back to the same bits."""

from __future__ import annotations

from typing import Any

import numpy as np

Tensor = dict[str, Any]
SPECIAL = {"NaN": np.nan, "Infinity": np.inf, "-Infinity": -np.inf}


def number(x: Any) -> int | float | str:
    """One numpy number as JSON: an int, the shortest decimal, or "NaN", "Infinity", "-Infinity"."""
    if isinstance(x, np.integer | np.bool_):
        return int(x)
    if not np.isfinite(x):
        return "NaN" if np.isnan(x) else "Infinity" if x > 0 else "-Infinity"
    decimal = float(str(x))
    return decimal if type(x)(decimal) == x else float(x)


def flat(array: np.ndarray) -> list[int | float | str]:
    """The elements of an array in row-major order, each as `number` writes it."""
    return [number(x) for x in np.asarray(array).ravel()]


def unflat(values: list[Any], dtype: str | np.dtype, shape: tuple[int, ...]) -> np.ndarray:
    """The array that `flat` wrote; ValueError if the values don't fill the shape."""
    if not np.issubdtype(np.dtype(dtype), np.floating):
        return np.array(values, dtype).reshape(shape)
    try:
        numbers = np.array(values, np.float64)
    except ValueError:
        numbers = np.array([SPECIAL.get(x, x) for x in values], np.float64)
    if numbers.size != int(np.prod(shape)):
        raise ValueError(f"{numbers.size} values do not fill the shape {shape}")
    with np.errstate(over="ignore", under="ignore"):
        return numbers.astype(dtype).reshape(shape)


def tensor(array: np.ndarray) -> Tensor:
    """An array as a JSON tensor: dtype, shape, values."""
    return {"dtype": array.dtype.name, "shape": list(array.shape), "values": flat(array)}


def array(tensor: Tensor) -> np.ndarray:
    """The array that a JSON tensor stands for."""
    return unflat(tensor["values"], tensor["dtype"], tuple(tensor["shape"]))


def gradient(encoded: Any, variable: np.ndarray) -> np.ndarray | None:
    """The gradient of an apply event: null, a flat list like the variable, or a tensor of its own."""
    if encoded is None:
        return None
    if isinstance(encoded, list):
        return unflat(encoded, variable.dtype, variable.shape)
    return array(encoded)
