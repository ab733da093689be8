"""Several replicas, each with its own copy of variables and optimizer, that meet where gradients are summed.

Source       tensorflow, python/distribute: MirroredStrategy, cross_device_ops; keras 3.15.1,
             src/backend/tensorflow/optimizer.py: _all_reduce_sum_gradients.
What it is   A step of an edition is a generator: it yields the gradients of its replica at the place where they are
             summed, and goes on with the sum over all replicas; the step of a single replica goes on with its own.

edition             the sum is taken                                  it is left out by
tf2.4, *.legacy     before clipping; by gradient_aggregator, if given experimental_aggregate_gradients=False
tf2.9               before clipping                                   skip_gradients_aggregation=True
tf2.12, tf2.15      before clipping                                   either of the two
keras3              after scaling, accumulation, clipping and decay   nothing
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Any

import numpy as np

from .bits import run_one
from .slices import densified
from .variable import Gradient, IndexedSlices, Variable

Step = Generator[list[Gradient], list[Gradient], Any]


def alone(step: Step) -> Any:
    """Take the step of the only replica: the sum of its gradients is these gradients. Returns what the step returns."""
    try:
        step.send(next(step))
    except StopIteration as end:
        return end.value
    raise AssertionError("a step meets the other replicas once")


def summed(gradients: Sequence[Gradient]) -> Gradient:
    """The sum of one variable's gradients over the replicas; sparse ones side by side, unless one is an array."""
    slices = [gradient for gradient in gradients if isinstance(gradient, IndexedSlices)]
    if len(slices) == len(gradients):
        values, indices = np.concatenate([s.values for s in slices]), np.concatenate([s.indices for s in slices])
        return IndexedSlices(values, indices, slices[0].dense_shape)
    total = densified(gradients[0])
    for gradient in gradients[1:]:
        total = run_one(lambda a, b: a + b, total, densified(gradient))
    return total


class Replicas:
    """Copies of an optimizer and its variables, `optimizers[r]` and `variables[r]`, that take their steps together.

    `make` returns an optimizer and its variables, one pair for each of the `count` replicas.
    """

    def __init__(self, count: int, make: Callable[[], tuple[Any, list[Variable]]]) -> None:
        made = [make() for _ in range(count)]
        self.optimizers = [optimizer for optimizer, _ in made]
        self.variables = [variables for _, variables in made]
        # A number of Python's, which has no copies: the first replica counts, and the others multiply no product.
        shared = Variable(np.array(1), "u_count")
        for optimizer in self.optimizers:
            optimizer.name = self.optimizers[0].name
            optimizer._names_apart = self.optimizers[0]._names_apart
            optimizer._slots["u_count", None] = shared

    def apply(self, gradients: Sequence[Sequence[Gradient | None]], **arguments: bool) -> None:
        """One step: `gradients[r]` are those of replica r; the arguments are those of `apply_gradients`.

        AssertionError if the replicas don't have gradients for the same variables.
        """
        pairs = [
            list(zip(own, variables, strict=True)) for own, variables in zip(gradients, self.variables, strict=True)
        ]
        steps = [o._step_of(p, **arguments) for o, p in zip(self.optimizers, pairs, strict=True)]
        given = [own for own in map(met, steps) if own is not None]
        if len({len(own) for own in given}) > 1:
            raise AssertionError(f"expected gradients for the same variables on every replica, got {gradients}")
        total = [self.optimizers[0]._summed(own) for own in zip(*given, strict=True)]
        for step in steps if given else ():
            try:
                step.send(total)
            except StopIteration:
                continue


def met(step: Step) -> list[Gradient] | None:
    """The gradients that a step brings to the meeting; None if it has been taken without one."""
    try:
        return next(step)
    except StopIteration:
        return None
