"""Wrong implementations of one more fresh list: each passed all goldens, or all properties, when it was first tried."""

from __future__ import annotations

from . import LEGACY, code, rule, sparse, wrong
from .subtle import K3
from .subtle_rare import prepared

AFTER_2_4 = ("tf2.9.legacy", "tf2.12.legacy", "tf2.15.legacy")

# ---- a rule ----------------------------------------------------------------------------------------------------------

wrong("unseen/nadam-cache-of-any-dtype", "the product of momenta is multiplied also where no variable has its dtype", "own",
      prepared(("if u_product.dtype not in dtypes:", "if not dtypes:")))  # fmt: skip
wrong("unseen/muon-at-least-one-step", "ns_steps = 0 iterates once", "own",
      rule("Muon", K3, ("nesterov else m, ns_steps,", "nesterov else m, max(ns_steps, 1),")))  # fmt: skip
wrong("unseen/ftrl-rows-of-one-column", "rows of one number are taken as such only if the variable is a vector", "own",
      code("goldenstep.reference.rules.ftrl", "summed_by_kernel", ("linear.size == len(linear)", "linear.ndim == 1"), editions=LEGACY, optimizers="Ftrl"))  # fmt: skip
wrong("unseen/ftrl-divides-at-the-edge", "a linear of just l1 is divided, be it 0 by 0", "own",
      rule("Ftrl", AFTER_2_4, ("abs(linear) > l1", "abs(linear) >= l1")))  # fmt: skip
wrong("unseen/rmsprop-mean-of-sums", "centered, duplicate rows are summed before they are scaled for the mean", "own",
      sparse("RMSprop", K3, ("dense(w.shape, indices, rest * g)", "rest * dense(w.shape, indices, g)"), ("w = added(", "w = added(")))  # fmt: skip
wrong("unseen/adamw-negative-decay-of-rows", "with rows, a weight decay below 0 is none", "own",
      sparse("AdamW", "tf2.9", ("if weight_decay != 0 else w", "if weight_decay > 0 else w")))  # fmt: skip
