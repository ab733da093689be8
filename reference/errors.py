"""Errors that carry the names TensorFlow gives them."""

from __future__ import annotations


class InvalidArgumentError(Exception):
    """A kernel refuses its operands: shapes or dtypes that don't fit (tf.errors.InvalidArgumentError)."""
