"""Subtly wrong rules and schedules: right, but for a rank, a dtype, a step, a zero, a row, a boundary."""

from __future__ import annotations

from goldenstep.reference.editions import namespace

from . import LEGACY, NEW, Part, code, rule, sparse, wrong

K3, K2 = "keras3", ("tf2.9", "tf2.12", "tf2.15")
RELEASES = ("tf2.4", "tf2.9", "tf2.12", "tf2.15", "keras3")


def only(condition: str, before: str, after: str) -> tuple[str, str]:
    """Replaces an expression where a condition holds."""
    return before, f"({after} if {condition} else {before})"


def where(condition: str, before: str, after: str) -> tuple[str, str]:
    """Replaces an expression element by element."""
    return before, f"np.where({condition}, {after}, {before})"


def schedule(name: str, editions: tuple[str, ...] | str, *pairs: tuple[str, str]) -> list[Part]:
    """Replaces text in the function of a schedule."""
    chosen = [editions] if isinstance(editions, str) else editions
    return [code(_of(e, name), "function", *pairs, editions=e, optimizers="schedules") for e in chosen]


def in_graph(name: str, editions: tuple[str, ...] | str, *pairs: tuple[str, str]) -> list[Part]:
    """Replaces text in what a schedule is inside a graph."""
    chosen = [editions] if isinstance(editions, str) else editions
    return [code(_of(e, name), "function_in_graph", *pairs, editions=e, optimizers="SGD") for e in chosen]


def _of(edition: str, name: str) -> object:
    """The class of a schedule in an edition."""
    public = namespace(edition)
    return getattr(public.schedules, name, None) or getattr(public.experimental, name)


# ---- Adam: only under some condition -----------------------------------------------------------------------

ROOT, ALPHA = "(sqrt(v) + epsilon)", "alpha = lr * sqrt(1 - power(b2, t)) / (1 - power(b1, t))"
M, V = "m + (g - m) * rest_1", "v + (g * g - v) * rest_2"
ADAM: dict[str, tuple[str, tuple[str, str]]] = {
    "epsilon-inside-for-matrices": ("of a matrix, epsilon is under the root", only("w.ndim >= 2", ROOT, "sqrt(v + epsilon)")),
    "epsilon-inside-for-cubes": ("from rank 3 on, epsilon is under the root", only("w.ndim >= 3", ROOT, "sqrt(v + epsilon)")),
    "no-epsilon-for-scalars": ("a scalar has no epsilon", only("w.ndim == 0", ROOT, "sqrt(v)")),
    "wrong-at-step-1000": ("only the 1000th step is another", only("t == 1000", ROOT, "(sqrt(v) + 2 * epsilon)")),
    "wrong-after-step-900": ("after 900 steps no bias correction", (ALPHA, f"{ALPHA} if t <= 900 else lr")),
    "wrong-at-step-3": ("only the third step is another", only("t == 3", ROOT, "(sqrt(v) + 2 * epsilon)")),
    "rest-in-float16": ("1 - beta in float16, of float16 only", only("w.dtype == np.float16", "(g - m) * rest_1", "(g - m) * (1 - b1)")),
    "float64-betas-are-float64": ("betas of float64 variables never were float32", ("b1, b2 = cast_tensor(w.dtype, beta_1, beta_2)", "b1, b2 = (cast if w.dtype == np.float64 else cast_tensor)(w.dtype, beta_1, beta_2)")),
    "mean-rests-at-zero": ("where a gradient is exactly 0 the mean stays", where("g == 0", M, "m")),
    "squares-rest-at-zero": ("where a gradient is exactly 0 the mean of squares stays", where("g == 0", V, "v")),
    "weights-rest-at-zero": ("where a gradient is exactly 0 the weight stays", ("    return w,", "    w = np.where(g == 0, w + (m * alpha) / (sqrt(v) + epsilon), w)\n    return w,")),
    "all-zero-is-skipped": ("after a gradient of zeros the weights stay", ("w - (m * alpha)", "w - (m * (alpha if np.any(g) else 0 * alpha))")),
    "squares-saturate": ("squares are at most 1e30", (V, "v + (minimum(g * g, g.dtype.type(min(1e30, 6e4))) - v) * rest_2")),
    "squares-have-a-floor": ("squares are at least 1e-30", (V, "maximum(v + (g * g - v) * rest_2, w.dtype.type(1e-30))")),
    "single-elements-uncorrected": ("a variable of one element has no bias correction", (ALPHA, f"{ALPHA} if w.size != 1 else lr")),
    "large-variables-in-float64": ("from 11 elements on the quotient is in float64", only("w.size >= 11", "(m * alpha) / (sqrt(v) + epsilon)", "(wide(m * alpha) / (wide(sqrt(v)) + epsilon)).astype(w.dtype)")),
    "minus-zero": ("a weight that becomes 0 loses its sign", ("    return w,", "    w = w + w.dtype.type(0)\n    return w,")),
    "epsilon-grows": ("epsilon is divided by the root of the correction after 10 steps", only("t > 10", ROOT, "(sqrt(v) + epsilon / sqrt(1 - power(b2, t)))")),
    "beta-1-0-is-none": ("beta_1 = 0 leaves out the bias correction of the squares", (ALPHA, f"{ALPHA} if beta_1 else lr")),
    "first-gradient-seeds-mean": ("the first mean is the gradient itself", only("t == 1", M, "m + g * rest_1 * w.dtype.type(1.0000001)")),
    "infinite-is-clipped": ("an infinite gradient counts as the largest number", ("    m = m +", "    g = np.nan_to_num(g, nan=np.nan) if np.isinf(g).any() else g\n    m = m +")),
    "nan-restarts-the-squares": ("a NaN in v becomes 0", ("    w = w -", "    v = np.where(np.isnan(v), w.dtype.type(0), v)\n    w = w -")),
}  # fmt: skip
for name, (what, pair) in ADAM.items():
    wrong(f"subtle/adam-{name}", what, "own", rule("Adam", NEW if "float16" not in name else K3, pair))

KERNEL = "(sqrt(v) + epsilon)"
wrong("subtle/adam-kernel-epsilon-of-matrices", "of a matrix, epsilon is under the root", "own",
      rule("Adam", LEGACY[1:], only("w.ndim >= 2", KERNEL, "sqrt(v + epsilon)")))  # fmt: skip
wrong("subtle/adam-kernel-step-1000", "only the 1000th step is another", "own",
      rule("Adam", LEGACY, only("t == 1000", "power(b1, t)", "power(b1, t + 1)")))  # fmt: skip
wrong("subtle/adam-2.4-mean-rests-at-zero", "where a gradient is exactly 0 the mean stays", "own",
      rule("Adam", "tf2.4", where("g == 0", "m + (g - m) * (1 - b1)", "m")))  # fmt: skip
wrong("subtle/adam-kernel-rest-in-float64-for-squares", "1 - beta_2 alone is taken in float64", "own",
      rule("Adam", LEGACY, ("(g * g - v) * (1 - b2)", "(g * g - v) * w.dtype.type(1 - beta_2)")))  # fmt: skip

# ---- amsgrad -------------------------------------------------------------------------------------------------

AMS = "maximum(vhat, v)"
wrong(
    "subtle/amsgrad-falls-at-zero",
    "where a gradient is exactly 0 vhat is v",
    "own",
    rule("Adam", NEW, where("g == 0", AMS, "v")),
)
wrong(
    "subtle/amsgrad-off-at-step-2",
    "the second step is that of Adam",
    "own",
    rule("Adam", NEW, ("sqrt(vhat) + epsilon", "sqrt(v if t == 2 else vhat) + epsilon")),
)
wrong(
    "subtle/amsgrad-forgets-after-1000",
    "vhat begins anew after 1000 steps",
    "own",
    rule("Adam", NEW, only("t == 1000", AMS, "v")),
)
wrong("subtle/amsgrad-of-matrices-by-row", "of a matrix one maximum per row", "own",
      rule("Adam", NEW, only("w.ndim == 2", AMS, "maximum(vhat, v.max(axis=1, keepdims=True) + 0 * v)")))  # fmt: skip
wrong("subtle/amsgrad-kernel-uses-v-at-zero", "with amsgrad and a gradient of 0 the step is that of Adam", "own",
      rule("Adam", LEGACY[1:], ("(sqrt(vhat) + epsilon)", "(sqrt(np.where(g == 0, v, vhat)) + epsilon)")))  # fmt: skip
wrong("subtle/amsgrad-sparse-off", "a sparse step of amsgrad is that of Adam", "own",
      sparse("Adam", K3, ("sqrt(vhat)", "sqrt(v)")))  # fmt: skip
wrong("subtle/amsgrad-sparse-not-kept", "a sparse step does not move vhat", "own",
      sparse("Adam", LEGACY, ("    vhat = maximum(vhat, v)\n", "")))  # fmt: skip

# ---- sparse ----------------------------------------------------------------------------------------------------

SUM = "indices, g = summed(indices, g)"
LAZY = ("Adagrad", "Adadelta", "Ftrl", "RMSprop", "Adamax", "Nadam", "Adam")
wrong("subtle/rows-of-one-index-averaged", "duplicate rows are averaged", "own",
      *(sparse(o, LEGACY, (SUM, f"counts = np.array([np.sum(indices == i) for i in dict.fromkeys(indices.tolist())], g.dtype); {SUM}; g = g / counts.reshape(-1, *[1] * (g.ndim - 1))")) for o in LAZY))  # fmt: skip
wrong("subtle/last-row-of-an-index-wins", "of duplicate rows the last one counts", "own",
      *(sparse(o, LEGACY, (SUM, "last = {i: k for k, i in enumerate(indices.tolist())}; indices, g = np.array(list(last), int), g[list(last.values())]")) for o in LAZY))  # fmt: skip
wrong("subtle/rows-summed-in-the-order-of-indices", "duplicate rows of sorted indices are summed from the last to the first", "own",
      *(sparse(o, LEGACY, (SUM, "indices, g = summed(indices[::-1], g[::-1])")) for o in LAZY))  # fmt: skip
wrong("subtle/only-two-rows-summed", "a third row of the same index is lost", "own",
      *(sparse(o, LEGACY, (SUM, "keep = [k for k, i in enumerate(indices.tolist()) if indices[:k].tolist().count(i) < 2]; indices, g = summed(indices[keep], g[keep])")) for o in LAZY))  # fmt: skip
wrong("subtle/keras3-squares-the-sum", "duplicate rows are summed before they are squared", "A02",
      *(sparse(o, K3, ("dense(w.shape, indices, g * g)", "dense(w.shape, indices, g) * dense(w.shape, indices, g)")) for o in ("Adam", "Nadam", "Lamb", "ScheduleFreeAdamW", "Adafactor")))  # fmt: skip
wrong("subtle/sorted-indices-only", "indices are sorted, and the rows left where they were", "own",
      *(sparse(o, K3, ("dense(w.shape, indices, g)", "dense(w.shape, np.sort(indices), g)")) for o in ("Adam", "Nadam", "Lamb")))  # fmt: skip
wrong("subtle/untouched-rows-stand-still", "lazy Adam: rows that are not named keep their means", "B19",
      sparse("Adam", K3, ("    m = m +", "    old_m = m\n    m = m +"), ("    v = v +", "    others = np.setdiff1d(np.arange(len(w)), indices); m = m.copy(); m[others] = old_m[others]\n    v = v +")))  # fmt: skip
wrong("subtle/no-rows-is-no-step", "a sparse gradient without rows is a null one", "own",
      sparse("Adam", K3, ("    w = w - ", "    w = w if len(indices) == 0 else w - ")))  # fmt: skip
wrong("subtle/no-rows-is-no-step-in-legacy", "a sparse gradient without rows is a null one", "own",
      sparse("Adam", LEGACY, ("    w = w - ", "    w = w if len(indices) == 0 else w - ")))  # fmt: skip
wrong("subtle/lazy-velocity-moves", "momentum of legacy SGD decays in every row", "B19",
      sparse("SGD", LEGACY, ("m = replaced(m, indices, step)", "m = replaced(m * momentum, indices, step)")))  # fmt: skip
wrong("subtle/lazy-rmsprop-fades", "squares of legacy RMSprop with momentum decay in every row", "B19",
      sparse("RMSprop", LEGACY, ("replaced(v, indices, square)", "replaced(v * rho, indices, square)")))  # fmt: skip
wrong("subtle/lazy-adagrad-sums-squares", "legacy Adagrad squares each duplicate row", "B11",
      sparse("Adagrad", LEGACY, (SUM, "squares = summed(indices, g * g)[1]; indices, g = summed(indices, g)"), ("gathered(a, indices) + g * g", "gathered(a, indices) + squares")))  # fmt: skip
wrong("subtle/sparse-row-0-lost", "row 0 is taken for padding", "own",
      *(sparse(o, K3, ("    w = w - ", "    w = w - (np.arange(len(w)) > 0).reshape(-1, *[1] * (w.ndim - 1)).astype(w.dtype) * ")) for o in ("Adam", "Adamax")))  # fmt: skip

# ---- the others --------------------------------------------------------------------------------------------------

wrong("subtle/sgd-nesterov-of-matrices-only", "vectors have no look-ahead", "own",
      rule("SGD", NEW + LEGACY, only("w.ndim < 2", "w + (m * momentum - g * lr)", "w + m")))  # fmt: skip
wrong("subtle/sgd-velocity-rests-at-zero", "where a gradient is 0 the velocity stays", "own",
      rule("SGD", NEW + LEGACY, where("g == 0", "m * momentum - g * lr", "m")))  # fmt: skip
wrong("subtle/sgd-momentum-of-1-is-0.99", "a momentum of 1 is taken back", "own",
      rule("SGD", NEW + LEGACY, ("lr, momentum = cast_tensor(w.dtype, learning_rate, momentum)", "lr, momentum = cast_tensor(w.dtype, learning_rate, min(momentum, 0.99))")))  # fmt: skip
wrong("subtle/sgd-float64-rate-is-exact", "the rate of a float64 variable never was float32", "own",
      rule("SGD", ("keras3", "tf2.9"), ("lr, momentum = cast_tensor(w.dtype, learning_rate, momentum)", "lr, momentum = cast(w.dtype, learning_rate, momentum)")))  # fmt: skip
wrong("subtle/rmsprop-negative-variance-cut", "a negative variance counts as 0", "own",
      rule("RMSprop", (*K2[1:], K3), ("v - a * a + epsilon", "maximum(v - a * a, w.dtype.type(0)) + epsilon")))  # fmt: skip
wrong("subtle/rmsprop-centered-in-one-square", "v - a**2 by the difference of roots", "own",
      rule("RMSprop", K3, ("v - a * a + epsilon", "(sqrt(v) - a) * (sqrt(v) + a) + epsilon")))  # fmt: skip
wrong("subtle/rmsprop-momentum-0-at-step-1", "with momentum the squares start at the first gradient's", "own",
      rule("RMSprop", K3, ("v = rho * v + rest * (g * g)\n    m =", "v = (rho * v if v.any() else rest * v) + rest * (g * g) * (1 if v.any() else w.dtype.type(1.001))\n    m =")))  # fmt: skip
wrong("subtle/rmsprop-rho-1-is-off", "rho = 1 is an ordinary mean", "own",
      rule("RMSprop", (K3, *K2), ("rest * (g * g)", "(rest if rest else w.dtype.type(1)) * (g * g)")))  # fmt: skip
wrong("subtle/adagrad-of-matrices-by-row", "one sum per row of a matrix", "own",
      rule("Adagrad", NEW, ("a + g * g", "a + (g * g if g.ndim < 2 else (g * g).mean(axis=-1, keepdims=True) + 0 * g)")))  # fmt: skip
wrong("subtle/adagrad-zero-over-zero", "0 / 0 is 0", "own",
      rule("Adagrad", (*NEW, *LEGACY[1:]), ("    return w,", "    w = np.where((a == 0) & np.isnan(w), w.dtype.type(0), w)\n    return w,")))  # fmt: skip
wrong("subtle/adadelta-first-step-longer", "the first delta counts epsilon twice", "own",
      rule("Adadelta", K3, ("sqrt(d + epsilon)", "sqrt(d + (epsilon if d.any() else epsilon + epsilon))")))  # fmt: skip
wrong("subtle/adadelta-rate-in-the-deltas-of-vectors", "of vectors the deltas hold the learning rate", "own",
      rule("Adadelta", NEW, ("    w = w + lr * delta", "    d = d * (lr if w.ndim == 1 else w.dtype.type(1))\n    w = w + lr * delta")))  # fmt: skip
wrong("subtle/adamax-u-keeps-where-zero", "where a gradient is 0, u does not fade", "own",
      rule("Adamax", NEW, where("g == 0", "maximum(b2 * u, abs(g))", "u")))  # fmt: skip
wrong("subtle/adamax-kernel-step-at-1000", "the 1000th correction is that of the 999th", "own",
      rule("Adamax", LEGACY, only("t == 1000", "power(b1, t)", "power(b1, t - 1)")))  # fmt: skip
wrong("subtle/adamax-epsilon-only-at-zero", "epsilon counts only where u is 0", "own",
      rule("Adamax", (*NEW, *LEGACY), ("(u + epsilon)", "np.where(u == 0, epsilon, u)")))  # fmt: skip
wrong("subtle/nadam-next-momentum-is-this", "the look-ahead takes this step's momentum", "own",
      rule("Nadam", NEW, ("u_next * m /", "u * m /")))  # fmt: skip
wrong("subtle/nadam-product-of-the-second-variable", "only the first variable sees the new product", "B01",
      rule("Nadam", K2, ("    if u_count != t + 1:\n        product, u_count = flush(product * u), u_count + 1", "    if u_count != t + 1:\n        product, u_count = flush(product * u), u_count + 1\n    else:\n        product = product / u")))  # fmt: skip
wrong("subtle/nadam-0.96-exact-in-float64", "0.96 of a float64 variable never was float32", "own",
      rule("Nadam", (*K2, *LEGACY[1:]), ("power(base, ", "power(w.dtype.type(0.96), ")))  # fmt: skip
wrong("subtle/ftrl-zero-sum-has-a-sign", "where linear equals l1 the weight is not cut", "own",
      rule("Ftrl", LEGACY, ("abs(linear) > l1", "abs(linear) >= l1")))  # fmt: skip
wrong("subtle/ftrl-shrinkage-of-the-new-weight", "shrinkage is left out on the first step", "own",
      rule("Ftrl", K3, ("shrinkage * w", "(shrinkage if linear.any() else w.dtype.type(0)) * w")))  # fmt: skip
wrong("subtle/ftrl-beta-without-l2", "beta counts only with l2", "own",
      rule("Ftrl", NEW, ("beta / (2 * lr)", "(beta if l2 else w.dtype.type(0)) / (2 * lr)")))  # fmt: skip
wrong("subtle/ftrl-power-0-is-a-root", "learning_rate_power = 0 is taken for -0.5", "own",
      rule("Ftrl", K3, ("power, shrinkage = cast(w.dtype, learning_rate_power,", "power, shrinkage = cast(w.dtype, learning_rate_power or -0.5,")))  # fmt: skip
wrong("subtle/lion-sign-of-tiny", "what is below 1e-12 has no sign", "own",
      rule("Lion", ("tf2.15", K3), ("sign(m * b1 + g * (1 - b1))", "sign(np.where(abs(m * b1 + g * (1 - b1)) < 1e-12, w.dtype.type(0), m * b1 + g * (1 - b1)))")))  # fmt: skip
wrong("subtle/lion-sign-of-nan", "NaN has the sign 0", "own",
      rule("Lion", ("tf2.15", K3), ("lr * sign(m * b1 + g * (1 - b1))", "lr * np.nan_to_num(sign(m * b1 + g * (1 - b1)))")))  # fmt: skip
wrong("subtle/lamb-ratio-of-a-scalar-is-1", "a scalar has no trust ratio", "own",
      rule("Lamb", K3, ("if norm_w > 0 and norm_update > 0", "if norm_w > 0 and norm_update > 0 and w.ndim")))  # fmt: skip
wrong("subtle/lamb-ratio-with-either-norm", "the ratio is 1 only if both norms are 0", "own",
      rule("Lamb", K3, ("if norm_w > 0 and norm_update > 0", "if norm_w > 0 or norm_update > 0")))  # fmt: skip
wrong("subtle/lamb-ratio-capped-at-10", "the ratio is at most 10", "own",
      rule("Lamb", K3, ("w - ratio * lr", "w - minimum(ratio, one * 10) * lr")))  # fmt: skip
wrong("subtle/lamb-epsilon-in-the-ratio", "epsilon is added to the norm of the update", "own",
      rule("Lamb", K3, ("norm_w / norm_update if", "norm_w / (norm_update + epsilon) if")))  # fmt: skip
wrong("subtle/adafactor-matrices-swapped", "from rank 3 on the rows of the last matrix go to the first", "own",
      rule("Adafactor", ("tf2.12", "tf2.15"), ("row_mean(square)", "(row_mean(square) if w.ndim < 3 else row_mean(square[::-1]))")))  # fmt: skip
wrong("subtle/adafactor-global-row-mean", "from rank 3 on one mean of r for all matrices", "own",
      rule("Adafactor", K3, ("in_float32(row_mean, r)[..., None]", "(in_float32(row_mean, r)[..., None] if w.ndim < 3 else in_float32(mean, r))")))  # fmt: skip
wrong("subtle/adafactor-clip-of-vectors-at-1", "vectors are clipped at 1, whatever clip_threshold is", "own",
      rule("Adafactor", ("tf2.12", "tf2.15", K3), ("epsilon_1, clip_threshold, 1)\n", "epsilon_1, 1.0 if w.ndim < 2 else clip_threshold, 1)\n")))  # fmt: skip
wrong("subtle/adafactor-step-capped-from-2", "the first step is not capped", "own",
      rule("Adafactor", K3, only("t == 1", "minimum(lr, 1 / sqrt(t))", "lr")))  # fmt: skip
wrong("subtle/adafactor-zero-weights", "weights of 0 are measured by 1, not by epsilon_2", "own",
      rule("Adafactor", K3, ("maximum(epsilon_2, sqrt(in_float32(mean, w * w)))", "(maximum(epsilon_2, sqrt(in_float32(mean, w * w))) if w.any() else one)")))  # fmt: skip
wrong("subtle/adafactor-beta-exact-in-float64", "the power of t is taken in float64", "own",
      rule("Adafactor", K3, ("1 - power(t, decay)", "w.dtype.type(1 - float(t) ** beta_2_decay)")))  # fmt: skip
wrong("subtle/muon-square-is-transposed", "a square matrix is transposed, too", "own",
      code("goldenstep.reference.rules.muon", "orthogonal", ("x.shape[0] > x.shape[1]", "x.shape[0] >= x.shape[1]"), editions=K3, optimizers="Muon"))  # fmt: skip
wrong("subtle/muon-wide-gets-a-step-more", "a wide matrix gets one more step", "own",
      code("goldenstep.reference.rules.muon", "orthogonal", ("range(steps)", "range(steps + (x.shape[0] < x.shape[1]))"), editions=K3, optimizers="Muon"))  # fmt: skip
wrong("subtle/muon-zero-gradient", "a matrix of zeros is divided by its norm", "own",
      code("goldenstep.reference.rules.muon", "orthogonal", ("(sqrt(total(wide * wide)) + 1e-7)", "(sqrt(total(wide * wide)) if wide.any() else sqrt(total(wide * wide)) + 1)"), editions=K3, optimizers="Muon"))  # fmt: skip
wrong("subtle/muon-embeddings-by-exact-name", "only a variable called embedding is one", "own",
      code("goldenstep.reference.optimizer", "facts", ('"(?i)embedding"', '"^embeddings$"'), editions=K3, optimizers="Muon"))  # fmt: skip
wrong("subtle/muon-excluded-from-the-start-of-the-name", "patterns of exclude_layers match at the beginning only", "own",
      code("goldenstep.reference.optimizer", "facts", ("re.search", "re.match"), editions=K3, optimizers="Muon"))  # fmt: skip
wrong("subtle/muon-cubes-are-flattened", "from rank 3 on a variable is a matrix of rows", "own",
      rule("Muon", K3, ("alpha = lr *", "alpha = (lr if w.ndim < 3 else lr + lr) *")))  # fmt: skip
wrong("subtle/schedulefree-warmup-one-step-longer", "at the end of the warmup the rate is still growing", "own",
      rule("ScheduleFreeAdamW", K3, ("minimum(t / warmup, 1)", "minimum(t / (warmup + 1), 1)")))  # fmt: skip
wrong("subtle/schedulefree-average-from-the-warmup-on", "the average counts from the end of the warmup", "own",
      rule("ScheduleFreeAdamW", K3, ("x = (1 - 1 / t) * x + 1 / t * z", "c = 1 / maximum(t - warmup, t.dtype.type(1)); x = (1 - c) * x + c * z")))  # fmt: skip
wrong("subtle/schedulefree-old-z-at-first", "only on the second step x is recovered with the old z", "A01",
      rule("ScheduleFreeAdamW", K3, ("    z = z -", "    old = z\n    z = z -"), ("x = (w - (1 - b1) * z) / b1", "x = (w - (1 - b1) * (old if t == 2 else z)) / b1")))  # fmt: skip

# ---- schedules ---------------------------------------------------------------------------------------------------

wrong("subtle/exponential-staircase-rounds", "staircase rounds to the nearest", "own",
      *schedule("ExponentialDecay", RELEASES, ("floor(p)", "floor(p + lr.dtype.type(0.5))")))  # fmt: skip
wrong("subtle/exponential-staircase-early", "a step of the staircase begins a step early", "own",
      *schedule("ExponentialDecay", RELEASES, ("floor(p)", "floor((step + 1) / steps)")))  # fmt: skip
wrong("subtle/exponential-by-logarithm", "exp(p * log(rate))", "own",
      *schedule("ExponentialDecay", RELEASES, ("power(rate, p)", "np.exp(p * np.log(rate))")))  # fmt: skip
wrong("subtle/inverse-time-integer-steps", "whole steps divide whole", "own",
      *schedule("InverseTimeDecay", RELEASES, ("lr / (1 + rate * p)", "lr / (1 + rate * step / steps) if not staircase else lr / (1 + rate * p)")))  # fmt: skip
wrong("subtle/cosine-one-step-short", "the end comes a step early", "own",
      *schedule("CosineDecay", RELEASES, ("step = minimum(step, steps)\n", "step = minimum(step + (step >= steps - 1), steps)\n"))[3:])  # fmt: skip
wrong("subtle/cosine-not-cut", "after its end the wave rises again", "own",
      *schedule("CosineDecay", ("tf2.4", "tf2.9", "tf2.12"), ("minimum(step, steps)", "step")))  # fmt: skip
wrong("subtle/cosine-warmup-includes-its-end", "at warmup_steps the climb still counts", "own",
      *schedule("CosineDecay", ("tf2.15", K3), ("if step < warmup", "if step <= warmup")))  # fmt: skip
wrong("subtle/cosine-warmup-from-zero", "the warmup begins at 0", "own",
      *schedule("CosineDecay", ("tf2.15", K3), ("(highest - lr) * (step / warmup) + lr", "highest * (step / warmup)")))  # fmt: skip
wrong("subtle/cosine-warmup-within-the-decay", "decay_steps counts the warmup", "own",
      *schedule("CosineDecay", ("tf2.15", K3), ("step = step - warmup", "step = minimum(step, steps)")))  # fmt: skip
wrong("subtle/cosine-multiplied-out", "highest * (1 - alpha) * cosine + highest * alpha", "own",
      *schedule("CosineDecay", ("tf2.15", K3), ("return highest * ((1 - alpha) * cosine + alpha)", "return highest * (1 - alpha) * cosine + highest * alpha")))  # fmt: skip
wrong("subtle/restarts-alpha-below-the-wave", "alpha falls with the waves", "own",
      *schedule("CosineDecayRestarts", RELEASES, ("(1 - alpha) * cosine + alpha", "(1 - alpha) * cosine + alpha * power(m_mul, wave)")))  # fmt: skip
wrong("subtle/restarts-at-boundary", "a restart comes a step late", "A19",
      *schedule("CosineDecayRestarts", RELEASES, ("fraction = step / steps", "fraction = maximum(step - (step % steps == 0), lr.dtype.type(0)) / steps")))  # fmt: skip
wrong("subtle/polynomial-cycle-at-0", "with cycle, step 0 is the end of a cycle", "own",
      *schedule("PolynomialDecay", RELEASES, ("1.0 if step == 0 else ceil", "1.0 if step == -1 else ceil")))  # fmt: skip
wrong("subtle/polynomial-cycle-floors", "with cycle, a full cycle begins the next", "own",
      *schedule("PolynomialDecay", RELEASES, ("ceil(step / decay_steps)", "(floor(step / decay_steps) + 1)"), ("    lr = tensor", "    floor = np.floor\n    lr = tensor")))  # fmt: skip
wrong("subtle/polynomial-power-1-is-linear", "a power of 1 is computed as a line", "own",
      *schedule("PolynomialDecay", RELEASES, ("return span * scalars.power(1 - p, exponent) + end", "return lr - span * p if power == 1.0 else span * scalars.power(1 - p, exponent) + end")))  # fmt: skip
wrong("subtle/piecewise-boundary-belongs-to-the-next", "a boundary belongs to the piece after it", "own",
      *schedule("PiecewiseConstantDecay", RELEASES, ("step <= low[0]", "step < low[0]"), ("(step > a) & (step <= b)", "(step >= a) & (step < b)"), ("step > low[-1]", "step >= low[-1]")))  # fmt: skip
wrong("subtle/piecewise-only-last-boundary", "the last boundary alone belongs to the piece after it", "own",
      *schedule("PiecewiseConstantDecay", RELEASES[:4], ("(step <= b) for", "(step < b) for") , ("step > low[-1]", "step >= low[-1]")))  # fmt: skip
