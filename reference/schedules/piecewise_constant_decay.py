"""PiecewiseConstantDecay: a constant between boundaries; a boundary itself belongs to the piece before it.

Source       the step policies of every framework; boundaries as tf.train.piecewise_constant of 2016 has them.
Units        boundaries in steps; the result is in the units of values.
Dtypes       boundaries are cast to the dtype of step: 5.5 is 5 for a whole step, and from 2**31 on they wrap around for
             an int32 step.  The result has the dtype of its value: int32 if it is an integer.
Errors       no boundary: IndexError at the call.  Boundaries that fall: tf2.* raise InvalidArgumentError at a step that
             two pieces hold; keras3 adds the two values.  keras3 refuses values of several dtypes, and True and False.

edition                       function
tf2.4, tf2.9, tf2.12, tf2.15  chosen
keras3                        summed
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from ..errors import InvalidArgumentError
from .scalars import cast, tensor


def chosen(step, *, boundaries, values):
    """The value of the one piece that holds the step."""
    low, values = cast(step.dtype, *boundaries), [tensor(value) for value in values]
    pieces = [step <= low[0], *((step > a) & (step <= b) for a, b in pairwise(low)), step > low[-1]]
    if sum(map(bool, pieces)) > 1:
        raise InvalidArgumentError("more than 1 conditions evaluated as True: the boundaries do not rise")
    return next((value for value, holds in zip(values, pieces, strict=True) if holds), values[0])


def summed(step, *, boundaries, values):
    """The sum over all pieces of their values times whether they hold the step: 0 * infinity is NaN."""
    low, values = cast(step.dtype, *boundaries), [tensor(value) for value in values]
    pieces = [step <= low[0], *((step > a) & (step <= b) for a, b in pairwise(low)), step > low[-1]]
    if len({value.dtype for value in values}) > 1:
        raise InvalidArgumentError("cannot compute Mul as the values have several dtypes")
    dtype = values[0].dtype.type
    if dtype is np.bool_:
        raise InvalidArgumentError("cannot compute AddV2 of truth values")
    result = dtype(0) + dtype(pieces[0]) * values[0] + dtype(pieces[-1]) * values[-1]
    for value, holds in zip(values[1:-1], pieces[1:-1], strict=True):
        result = result + dtype(holds) * value
    return result


SCHEDULES = {
    "tf2.4": chosen,
    "tf2.9": chosen,
    "tf2.12": chosen,
    "tf2.15": chosen,
    "keras3": summed,
}
