"""Steps inside `tf.function`: what Python does happens once, when the graph is made.

Source       tensorflow, python/eager/polymorphic_function; keras 2.15.0, src/optimizers/nadam.py: _u_product_counter.
             tensorflow, core/grappler/optimizers: arithmetic_optimizer and constant_folding.
What it is   Where Grappler rewrites a rule or a schedule, the tables GRAPH and GRAPH_SPARSE of its file have it as it
             then is: a division by a square root or by a number that stays has become a product, a power a root, and
             numbers are multiplied before arrays are.
             Nadam of TF 2.9 to 2.15 counts in a number of Python's: every variable keeps the count it had when
             the graph was made, so that from the second step on each of them multiplies the product.
             A graph is made for each choice of gradients that are missing, and counts on from the one made before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from .schedules import IN_GRAPH
from .variable import Gradient, Variable

Pairs = Iterable[tuple[Gradient | None, Variable]]


def traced(optimizer: Any) -> Callable[[Pairs], None]:
    """`apply_gradients` of an optimizer whose state is made before the graph is."""
    optimizer._in_graph = True
    optimizer._choose_rules(optimizer._owned)
    count = optimizer._slots.setdefault(("u_count", None), Variable(np.array(1), "u_count"))
    update = optimizer._update
    first_counts: dict[tuple[bool, ...], int] = {}

    def step(grads_and_vars: Pairs) -> None:
        pairs = list(grads_and_vars)
        # Its key says which gradients a graph has: so many variables counted while it was made.
        given = tuple(gradient is not None for gradient, _ in pairs)
        first = first_counts.setdefault(given, 1 + sum(map(sum, first_counts)))
        variables = [variable for gradient, variable in pairs if gradient is not None]
        counts = {id(variable): number for number, variable in enumerate(variables, first)}

        def counted(variable: Variable, gradient: Gradient, hyper: dict[str, Any]) -> None:
            count.value = np.asarray(counts[id(variable)])
            update(variable, gradient, hyper)

        optimizer._update = counted
        outside = IN_GRAPH.set(True)
        try:
            optimizer.apply_gradients(pairs)
        finally:
            IN_GRAPH.reset(outside)

    return step
