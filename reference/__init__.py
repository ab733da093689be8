"""The reference: what every optimizer computes, in numpy, read as documentation.

rules/       the update rules, one file per optimizer       start here
schedules/   the learning-rate schedules, one file each
editions/    what each edition does around the rule
bits.py      every rounding choice
slices.py    gradients of some rows, and how they meet an array
"""

from .errors import InvalidArgumentError
from .variable import IndexedSlices, Variable

__all__ = ["IndexedSlices", "InvalidArgumentError", "Variable"]
