"""Wrong from a state that no step leaves, after an option is turned, or inside a graph of extreme numbers.

What a fifth list of other eyes thought of, and no golden rejected then.
"""

from __future__ import annotations

from goldenstep.reference import clipping, optimizer, steps
from goldenstep.reference.editions import state_v2, tf2_12
from goldenstep.reference.formats import by_module

from . import LEGACY, NEW, code, rule, sparse, wrong
from .subtle import K2, K3, only

LATE = ("tf2.12", "tf2.15")
SOME = ("SGD", "Adam")

wrong("given/vhat-of-touched-rows", "the maximum of AMSGrad is taken in the touched rows only: seen where vhat was given smaller than v", "own",
      rule("AdamW", LATE, ("vhat = maximum(vhat, v)", "vhat = np.where(np.isin(np.arange(len(w)), indices).reshape((-1,) + (1,) * (w.ndim - 1)), maximum(vhat, v), vhat)"), table="SPARSE"))  # fmt: skip
wrong("given/vhat-starts-from-v", "AMSGrad's first step takes v for the maximum, whatever vhat was given", "own",
      rule("Adam", NEW, ("vhat = maximum(vhat, v)", "vhat = maximum(vhat, v) if t > 1 else v")))  # fmt: skip
wrong("given/adamax-norm-starts-from-gradient", "Adamax's first step takes the gradient for the norm, whatever u was given", "own",
      rule("Adamax", NEW, ("maximum(b2 * u, ", "maximum(b2 * u if t > 1 else b2 * (u - u), ")))  # fmt: skip
wrong("given/rows-keep-their-rule", "an option that is turned changes the rule of arrays, not that of rows", "own",
      code(optimizer.Optimizer, "_choose_rules", ("if sparse_rule:", "if sparse_rule and (self._in_graph or id(variable) not in self._sparse_plans):"), editions=K3, optimizers=("Adam", "AdamW")))  # fmt: skip
wrong("given/one-argument-overrules", "2.12, 2.15: experimental_aggregate_gradients=True sums although skip_gradients_aggregation=True", "own",
      code(tf2_12.Keras2Optimizer, "_step", ('not skip_gradients_aggregation and kwargs.get("experimental_aggregate_gradients", True)', 'kwargs.get("experimental_aggregate_gradients", not skip_gradients_aggregation)'), editions=LATE, optimizers=SOME))  # fmt: skip
wrong("given/grad_loss-of-a-value", "OptimizerV2: minimize of a value on a tape leaves grad_loss out", "own",
      code(state_v2.StateV2, "_compute_gradients", ("tape, grad_loss, flatten", "tape, grad_loss if callable(loss) else None, flatten"), editions=LEGACY, optimizers=SOME))  # fmt: skip
wrong("given/registered-name-overlooked", "2.15, keras3: a custom object is found by the class name of a document, not by its registered name", "own",
      code(by_module, "_is_custom", ('config.get("registered_name"), ', ""), editions=("tf2.15", "tf2.15.legacy", K3), optimizers=("identifiers", "config")))  # fmt: skip
wrong("given/clipnorm-of-a-single-number", "the norm of a single number is its absolute value: its square neither overflows nor vanishes", "own",
      code(clipping, "norm_clipped", ("norm = sqrt(squares) if squares > 0 else squares", "norm = abs(g).max() if g.size == 1 else sqrt(squares) if squares > 0 else squares"), editions=LEGACY + NEW, optimizers=("SGD",)))  # fmt: skip
wrong("given/average-rest-in-float16", "Keras 2: 1 - ema_momentum of a float16 variable is taken in float16", "own",
      code(steps, "move_averages", ("keep, rest = cast(variable.dtype, momentum, 1 - momentum)", "keep, rest = cast(variable.dtype, momentum, 1 - momentum)\n        rest = 1 - keep if variable.dtype == np.float16 else rest"), editions=K2, optimizers=("SGD",)))  # fmt: skip
wrong("given/places-of-the-last", "keras3: where a divisor is 0, rows of one index are sought at the last of their places, not at their sum", "own",
      code("goldenstep.reference.rules.adagrad", "divided", ("np.add.at(places, indices, np.arange(1, count + 1))", "places[indices] = np.arange(1, count + 1)"), editions=K3, optimizers=("Adagrad",)))  # fmt: skip
wrong("given/graph-adagrad-spares-rows", "2.9: inside a graph untouched rows stay where they are even if the reciprocal of their root is infinite", "own",
      rule("Adagrad", "tf2.9", ("lr * dense(w.shape, indices, g) * rsqrt(a + epsilon)", "np.where(dense(w.shape, indices, np.ones_like(g)) > 0, lr * dense(w.shape, indices, g) * rsqrt(a + epsilon), w.dtype.type(0))"), table="GRAPH_SPARSE"))  # fmt: skip
wrong("given/graph-adafactor-zero-gradient", "inside a graph a gradient of 0 takes no step, where 0 times infinity is NaN in float16", "own",
      rule("Adafactor", K3, ("u = g * rsqrt_2_15(v)", "u = np.where(g == 0, g, g * rsqrt_2_15(v))"), table="GRAPH"))  # fmt: skip
wrong("given/muon-rate-of-halves", "the corrected rate of a vector's float16 rows is computed in float32", "own",
      sparse("Muon", K3, only("w.dtype == np.float16", "lr * sqrt(1 - power(b2, t)) / (1 - power(b1, t))", "w.dtype.type(np.float32(lr) * np.sqrt(1 - np.float32(adam_beta_2) ** np.float32(t)) / (1 - np.float32(adam_beta_1) ** np.float32(t)))")))  # fmt: skip
wrong("given/lion-sign-of-halves", "the sign of float16 rows is that of a sum in float64, which doesn't vanish", "own",
      sparse("Lion", K3, only("w.dtype == np.float16", "sign(m * b1 + dense(w.shape, indices, g * (1 - b1)))", "sign(wide(m) * wide(b1) + dense(w.shape, indices, wide(g) * wide(1 - b1))).astype(w.dtype)")))  # fmt: skip
