"""Numbers as JSON has them: the shortest decimal that reads back to the same bits."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import orjson

Tensor = dict[str, Any]
SPECIAL = {"NaN": np.nan, "Infinity": np.inf, "-Infinity": -np.inf, "-0": -0.0}


def flat(array: np.ndarray) -> list[int | float | str]:
    """The elements in row-major order: ints, shortest decimals, or "NaN", "Infinity", "-Infinity"."""
    elements = np.asarray(array).ravel()
    if elements.dtype.kind != "f":
        return elements.tolist()
    finite = np.isfinite(elements).all()
    if elements.dtype == np.float64:
        numbers = elements.tolist()
    elif elements.dtype == np.float32 and finite:
        numbers = orjson.loads(orjson.dumps(elements, option=orjson.OPT_SERIALIZE_NUMPY))
    else:
        numbers = [float(s) for s in elements.astype(str).tolist()]
    read = np.array(numbers, elements.dtype)
    if not (read.tobytes() == elements.tobytes() or np.array_equal(read, elements, equal_nan=True)):
        numbers = elements.astype(np.float64).tolist()
    return numbers if finite else [named(x) for x in numbers]


def named(x: float) -> float | str:
    """A number, or the name of what is none."""
    return x if math.isfinite(x) else "NaN" if math.isnan(x) else "Infinity" if x > 0 else "-Infinity"


def unflat(values: list[Any], dtype: str | np.dtype, shape: tuple[int, ...]) -> np.ndarray:
    """The array that `flat` wrote; ValueError if the values don't fill the shape."""
    dtype = np.dtype(dtype)
    if dtype.kind != "f":
        return np.array(values, dtype).reshape(shape)
    try:
        numbers = np.array(values, np.float64)
    except ValueError:
        numbers = np.array([SPECIAL.get(x, x) for x in values], np.float64)
    if numbers.size != math.prod(shape):
        raise ValueError(f"{numbers.size} values do not fill the shape {shape}")
    with np.errstate(over="ignore", under="ignore"):
        return numbers.astype(dtype).reshape(shape)


def tensor(array: np.ndarray) -> Tensor:
    """An array as a JSON tensor: dtype, shape, values."""
    return {"dtype": array.dtype.name, "shape": list(array.shape), "values": flat(array)}


def array(tensor: Tensor) -> np.ndarray:
    """The array that a JSON tensor stands for."""
    return unflat(tensor["values"], tensor["dtype"], tuple(tensor["shape"]))


class Rows(NamedTuple):
    """A sparse gradient: `values[i]` belongs to row `indices[i]` of an array of shape `dense_shape`."""

    values: np.ndarray
    indices: np.ndarray
    dense_shape: tuple[int, ...]


def gradient(encoded: Any, variable: np.ndarray) -> np.ndarray | Rows | None:
    """The gradient of an apply event: null, a flat list like the variable, a tensor of its own, or some rows."""
    if encoded is None:
        return None
    if isinstance(encoded, list):
        return unflat(encoded, variable.dtype, variable.shape)
    if "indices" in encoded:
        return Rows(array(encoded["values"]), np.array(encoded["indices"], np.int32), variable.shape)
    return array(encoded)
