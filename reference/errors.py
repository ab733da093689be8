"""Errors that carry the names TensorFlow gives them."""

from __future__ import annotations

import numpy as np


class InvalidArgumentError(Exception):
    """A kernel refuses its operands: shapes or dtypes that don't fit (tf.errors.InvalidArgumentError)."""


def refuse_mixture(*dtypes: np.dtype) -> None:
    """InvalidArgumentError for operands of several dtypes, which TensorFlow doesn't convert."""
    for dtype in dtypes[1:]:
        if dtype != dtypes[0]:
            raise InvalidArgumentError(f"expected a {dtypes[0]} tensor, got a {dtype} one")
