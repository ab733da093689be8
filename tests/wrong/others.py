"""Wrong SGD, RMSprop, Adagrad, Adadelta, Ftrl, Adafactor and Muon."""

from __future__ import annotations

from goldenstep.reference.rules import muon

from . import LEGACY, code, rule, wrong

K3 = "keras3"

# ---- SGD ---------------------------------------------------------------------------------------------------

M = "m = m * momentum - g * lr"
LOOK = "w = w + (m * momentum - g * lr)"
wrong(
    "sgd/learning-rate-outside-the-velocity",
    "m = momentum * m + g, w -= lr * m: torch",
    "own",
    rule("SGD", K3, (M, "m = m * momentum + g"), ("w = w + m\n", "w = w - lr * m\n")),
)
wrong(
    "sgd/dampening",
    "the gradient's share is 1 - momentum",
    "own",
    rule("SGD", K3, (M, "m = m * momentum - g * lr * (1 - momentum)")),
)
wrong(
    "sgd/velocity-positive",
    "m has the other sign",
    "own",
    rule("SGD", K3, (M, "m = m * momentum + g * lr"), ("w = w + m\n", "w = w - m\n")),
)
wrong(
    "sgd/nesterov-of-the-old-velocity",
    "the look-ahead uses m as it was",
    "own",
    rule("SGD", K3, (f"    {M}\n    {LOOK}", f"    {LOOK}\n    {M}")),
)
wrong("sgd/nesterov-off", "nesterov does nothing", "own", rule("SGD", K3, (LOOK, "w = w + m")))
wrong(
    "sgd/nesterov-twice",
    "w + m + (m - m_old) * momentum",
    "own",
    rule("SGD", K3, (M, "old, m = m, m * momentum - g * lr"), (LOOK, "w = w + m + (m - old) * momentum")),
)
wrong("sgd/one-momentum-lost", "w + m * momentum", "own", rule("SGD", K3, (LOOK, "w = w + m * momentum")))
wrong(
    "sgd/difference-first",
    "w + m * momentum - g * lr, from left to right",
    "own",
    rule("SGD", K3, (LOOK, "w = w + m * momentum - g * lr")),
)
wrong(
    "sgd/momentum-in-float64",
    "momentum never was float32",
    "own",
    rule(
        "SGD",
        K3,
        (
            "lr, momentum = cast_tensor(w.dtype, learning_rate, momentum)",
            "lr, momentum = cast(w.dtype, learning_rate, momentum)",
        ),
    ),
)
wrong(
    "sgd/fused",
    "w - g * lr is rounded once",
    "own",
    rule("SGD", K3, ("w - g * lr", "(wide(w) - wide(g) * wide(lr)).astype(w.dtype)")),
)
wrong(
    "sgd/no-idle-velocity",
    "with momentum = 0 an infinite step is forgotten",
    "own",
    rule("SGD", ("tf2.12", "tf2.15"), (M, "m = np.where(momentum == 0, np.zeros_like(m), m * momentum) - g * lr")),
)
wrong(
    "sgd/heavy-ball-decayed", "the new step decays, too", "own", rule("SGD", LEGACY, (M, "m = (m - g * lr) * momentum"))
)

# ---- RMSprop -----------------------------------------------------------------------------------------------

SQUARES = "v = rho * v + rest * (g * g)"
wrong(
    "rmsprop/epsilon-outside",
    "sqrt(v) + epsilon: torch, TF's classic",
    "D03",
    rule("RMSprop", K3, ("sqrt(v + epsilon)", "(sqrt(v) + epsilon)")),
)
wrong(
    "rmsprop/epsilon-inside",
    "sqrt(v + epsilon) in the legacy editions",
    "D03",
    rule("RMSprop", LEGACY[1:], ("(sqrt(v) + epsilon)", "sqrt(v + epsilon)")),
)
wrong(
    "rmsprop/centered-epsilon-inside",
    "sqrt(v - a * a + epsilon) without momentum",
    "D03",
    rule("RMSprop", LEGACY[1:], ("(sqrt(v - a * a) + epsilon)", "sqrt(v - a * a + epsilon)")),
)
wrong(
    "rmsprop/kernel-epsilon-outside",
    "with momentum, too, epsilon is added to the root",
    "D03",
    rule("RMSprop", LEGACY[1:], ("/ sqrt(v + epsilon)", "/ (sqrt(v) + epsilon)")),
)
wrong(
    "rmsprop/mean-of-squares-twice",
    "centered: a averages g * g",
    "B06",
    rule("RMSprop", K3, ("a = rho * a + rest * g", "a = rho * a + rest * (g * g)")),
)
wrong(
    "rmsprop/mean-right-in-2.9",
    "centered: a averages g, as documented",
    "B06",
    rule("RMSprop", "tf2.9", ("a = rho * a + rest * (g * g)", "a = rho * a + rest * g")),
)
wrong(
    "rmsprop/variance-written-back",
    "centered: v loses a * a for good",
    "B07",
    rule(
        "RMSprop",
        K3,
        ("    w = w - lr * g / sqrt(v - a * a + epsilon)", "    v = v - a * a\n    w = w - lr * g / sqrt(v + epsilon)"),
    ),
)
wrong(
    "rmsprop/variance-kept-in-2.9",
    "centered: v keeps a * a, as documented",
    "B07",
    rule("RMSprop", "tf2.9", ("    v = v - a * a\n", ""), ("sqrt(v)", "sqrt(v - a * a)")),
)
wrong(
    "rmsprop/learning-rate-outside-the-momentum",
    "m = momentum * m + g / .., w -= lr * m",
    "B08",
    rule(
        "RMSprop",
        K3,
        ("m = momentum * m + lr * g / sqrt(v + epsilon)", "m = momentum * m + g / sqrt(v + epsilon)"),
        ("w = w - m", "w = w - lr * m"),
    ),
)
wrong(
    "rmsprop/learning-rate-inside-in-2.9",
    "m holds the learning rate",
    "B08",
    rule(
        "RMSprop",
        "tf2.9",
        ("g / (sqrt(v) + epsilon)\n    w = w - lr * m", "lr * g / (sqrt(v) + epsilon)\n    w = w - m"),
    ),
)
wrong("rmsprop/centered-off", "centered keeps a and does not use it", "own", rule("RMSprop", K3, ("v - a * a", "v")))
wrong(
    "rmsprop/centered-by-the-old-mean",
    "a is moved after the step",
    "own",
    rule(
        "RMSprop",
        K3,
        ("    a = rho * a + rest * g\n", ""),
        ("    return w, v, a", "    a = rho * a + rest * g\n    return w, v, a"),
    ),
)
wrong("rmsprop/rho-swapped", "v keeps 1 - rho", "own", rule("RMSprop", K3, (SQUARES, "v = rest * v + rho * (g * g)")))
wrong(
    "rmsprop/no-root", "divided by v + epsilon", "own", rule("RMSprop", K3, ("/ sqrt(v + epsilon)", "/ (v + epsilon)"))
)
wrong(
    "rmsprop/squares-after-the-step",
    "the step sees v as it was",
    "own",
    rule(
        "RMSprop",
        K3,
        (
            f"    {SQUARES}\n    w = w - lr * g / sqrt(v + epsilon)\n",
            f"    w = w - lr * g / sqrt(v + epsilon)\n    {SQUARES}\n",
        ),
    ),
)
wrong(
    "rmsprop/momentum-dampened",
    "m takes 1 - momentum of the step",
    "own",
    rule("RMSprop", K3, ("momentum * m + lr * g", "momentum * m + (1 - momentum) * lr * g")),
)
wrong(
    "rmsprop/momentum-looks-ahead",
    "w moves by momentum * m and the step",
    "own",
    rule("RMSprop", K3, ("w = w - m", "w = w - (momentum * m + lr * g / sqrt(v + epsilon))")),
)
wrong(
    "rmsprop/rest-in-float32",
    "1 - rho is taken in float32",
    "B20",
    rule("RMSprop", K3, ("w.dtype.type(1 - rho)", "w.dtype.type(1 - np.float32(rho))")),
)
wrong(
    "rmsprop/squares-from-the-left", "(1 - rho) * g * g", "own", rule("RMSprop", K3, ("rest * (g * g)", "rest * g * g"))
)
wrong(
    "rmsprop/kernel-mean",
    "v + (g * g - v) * (1 - rho)",
    "own",
    rule("RMSprop", K3, (SQUARES, "v = v + (g * g - v) * rest")),
)
wrong(
    "rmsprop/momentum-kernel-textbook",
    "rho * v + (1 - rho) * (g * g) with momentum, too",
    "own",
    rule("RMSprop", LEGACY, ("v = v + (g * g - v) * (1 - rho)", "v = rho * v + (1 - rho) * (g * g)")),
)
wrong(
    "rmsprop/quotient-first",
    "lr * (g / sqrt(..))",
    "own",
    rule("RMSprop", K3, ("lr * g / sqrt(v + epsilon)", "lr * (g / sqrt(v + epsilon))")),
)
wrong(
    "rmsprop/product-first-in-2.9",
    "lr * g / (..)",
    "own",
    rule("RMSprop", "tf2.9", ("lr * (g / (sqrt(v) + epsilon))", "lr * g / (sqrt(v) + epsilon)")),
)
wrong(
    "rmsprop/no-reciprocal-root",
    "2.12 and 2.15 with epsilon outside",
    "own",
    rule(
        "RMSprop",
        ("tf2.12", "tf2.15"),
        (
            "rho, epsilon = cast(w.dtype, learning_rate, rho, epsilon)",
            "rho, epsilon = *cast(w.dtype, learning_rate, rho), w.dtype.type(epsilon) ** 2",
        ),
    ),
)

# ---- Adagrad -----------------------------------------------------------------------------------------------

wrong(
    "adagrad/epsilon-outside",
    "sqrt(a) + epsilon: torch, TF's classic",
    "B10, D04",
    rule("Adagrad", K3, ("sqrt(a + epsilon)", "(sqrt(a) + epsilon)")),
)
wrong(
    "adagrad/epsilon-inside",
    "sqrt(a + epsilon) in the legacy editions",
    "B10",
    rule("Adagrad", LEGACY[1:], ("(sqrt(a) + epsilon)", "sqrt(a + epsilon)")),
)
wrong(
    "adagrad/sum-after-the-step",
    "the step sees a as it was",
    "own",
    rule("Adagrad", K3, ("    a = a + g * g\n", ""), ("    return w, a", "    a = a + g * g\n    return w, a")),
)
wrong(
    "adagrad/starts-at-0",
    "the accumulator starts at 0: torch",
    "D04",
    rule("Adagrad", K3, ("sqrt(a + epsilon)", "sqrt(a - w.dtype.type(0.1) + epsilon)")),
)
wrong("adagrad/sum-of-sizes", "a adds up abs(g)", "own", rule("Adagrad", K3, ("a + g * g", "a + abs(g)")))
wrong(
    "adagrad/no-root", "divided by a + epsilon", "own", rule("Adagrad", K3, ("/ sqrt(a + epsilon)", "/ (a + epsilon)"))
)
wrong(
    "adagrad/fades",
    "a keeps 0.9 of itself, as RMSprop's",
    "own",
    rule("Adagrad", K3, ("a = a + g * g", "a = w.dtype.type(0.9) * a + g * g")),
)
wrong(
    "adagrad/quotient-first",
    "lr * (g / sqrt(..))",
    "own",
    rule("Adagrad", K3, ("lr * g / sqrt", "lr * (1 / sqrt"), ("+ epsilon)", "+ epsilon)) * g")),
)
wrong(
    "adagrad/reciprocal-root",
    "times 1 / sqrt(..)",
    "own",
    rule(
        "Adagrad", ("tf2.9", "tf2.12", "tf2.15", K3), ("lr * g / sqrt(a + epsilon)", "lr * g * (1 / sqrt(a + epsilon))")
    ),
)
wrong(
    "adagrad/decay-grows",
    "the learning rate grows with t",
    "E28",
    rule("Adagrad", LEGACY[1:], ("g * lr /", "g * lr * (1 + a) /")),
)

# ---- Adadelta ----------------------------------------------------------------------------------------------

D = "d = rho * d + rest * (delta * delta)"
wrong(
    "adadelta/squares-from-the-left",
    "(1 - rho) * g * g, as Keras 2 has it",
    "own",
    rule("Adadelta", K3, ("rest * (g * g)", "rest * g * g")),
)
wrong(
    "adadelta/squares-first",
    "(1 - rho) * (g * g), as Keras 3 has it",
    "own",
    rule("Adadelta", ("tf2.9", "tf2.12", "tf2.15"), ("rest * g * g", "rest * (g * g)")),
)
wrong(
    "adadelta/deltas-from-the-left",
    "only of the step: (1 - rho) * delta * delta",
    "own",
    rule("Adadelta", K3, ("rest * (delta * delta)", "rest * delta * delta")),
)
wrong(
    "adadelta/deltas-with-learning-rate",
    "d averages the step as it is taken",
    "own",
    rule("Adadelta", K3, ("rest * (delta * delta)", "rest * (lr * delta * (lr * delta))")),
)
wrong(
    "adadelta/deltas-of-the-past",
    "d is moved before the step",
    "own",
    rule("Adadelta", K3, ("    delta = -", "    d = rho * d\n    delta = -"), ("d = rho * d + rest", "d = d + rest")),
)
wrong(
    "adadelta/squares-of-the-past",
    "the step sees v as it was",
    "own",
    rule(
        "Adadelta",
        K3,
        ("    v = rho * v + rest * (g * g)\n", ""),
        ("    return w, v, d", "    v = rho * v + rest * (g * g)\n    return w, v, d"),
    ),
)
wrong(
    "adadelta/epsilon-outside",
    "the roots first, then epsilon",
    "own",
    rule("Adadelta", K3, ("sqrt(d + epsilon)", "(sqrt(d) + epsilon)"), ("sqrt(v + epsilon)", "(sqrt(v) + epsilon)")),
)
wrong(
    "adadelta/epsilon-below-only",
    "no epsilon with d: nothing ever moves",
    "own",
    rule("Adadelta", K3, ("sqrt(d + epsilon)", "sqrt(d)")),
)
wrong("adadelta/no-learning-rate", "the paper's form", "D10", rule("Adadelta", K3, ("lr * delta", "delta")))
wrong(
    "adadelta/quotient-of-roots-first",
    "sqrt(..) / sqrt(..) * g",
    "own",
    rule(
        "Adadelta", K3, ("-(sqrt(d + epsilon) * g / sqrt(v + epsilon))", "-(sqrt(d + epsilon) / sqrt(v + epsilon) * g)")
    ),
)
wrong(
    "adadelta/one-root",
    "sqrt((d + epsilon) / (v + epsilon))",
    "own",
    rule(
        "Adadelta", K3, ("-(sqrt(d + epsilon) * g / sqrt(v + epsilon))", "-(sqrt((d + epsilon) / (v + epsilon)) * g)")
    ),
)
wrong(
    "adadelta/rest-in-float32",
    "1 - rho is taken in float32",
    "B20",
    rule("Adadelta", K3, ("w.dtype.type(1 - rho)", "w.dtype.type(1 - np.float32(rho))")),
)
wrong(
    "adadelta/kernel-difference",
    "v + (g * g - v) * (1 - rho)",
    "own",
    rule("Adadelta", LEGACY, ("v = v * rho + (g * g) * (1 - rho)", "v = v + (g * g - v) * (1 - rho)")),
)

# ---- Ftrl --------------------------------------------------------------------------------------------------

wrong(
    "ftrl/l1-and-l2-swapped",
    "l1 in the divisor, l2 as the threshold",
    "E23",
    rule("Ftrl", K3, ("lr, l1, l2, beta = cast", "lr, l2, l1, beta = cast")),
)
wrong("ftrl/no-beta", "beta does nothing", "own", rule("Ftrl", K3, ("2 * (l2 + beta / (2 * lr))", "2 * l2")))
wrong("ftrl/beta-twice", "beta / lr without the half", "own", rule("Ftrl", K3, ("beta / (2 * lr)", "beta / lr")))
wrong(
    "ftrl/l2-once", "l2 in place of 2 * l2", "own", rule("Ftrl", K3, ("2 * (l2 + beta / (2 * lr))", "l2 + beta / lr"))
)
wrong(
    "ftrl/shrinkage-once",
    "no factor 2 before the shrinkage",
    "own",
    rule("Ftrl", K3, ("2 * l2_shrinkage", "l2_shrinkage")),
)
wrong(
    "ftrl/shrinkage-accumulates",
    "the sum of squares holds the shrinkage, too",
    "own",
    rule("Ftrl", K3, ("accumulator + g * g,", "accumulator + (g + shrinkage * w) * (g + shrinkage * w),")),
)
wrong("ftrl/power-negative", "accumulator**learning_rate_power", "own", rule("Ftrl", K3, ("-power", "power")))
wrong(
    "ftrl/old-sum-in-the-divisor",
    "the divisor sees the accumulator as it was",
    "own",
    rule("Ftrl", K3, ("after / lr + 2", "before / lr + 2")),
)
wrong(
    "ftrl/no-threshold",
    "l1 is not looked at",
    "own",
    rule("Ftrl", K3, ("(larger(minimum(linear, l1), -l1) - linear)", "-linear")),
)
wrong(
    "ftrl/threshold-added",
    "the weight is moved away from 0 by l1",
    "own",
    rule("Ftrl", K3, ("- linear) / quadratic", "* -1 - linear) / quadratic")),
)
wrong(
    "ftrl/without-the-proximal-term",
    "linear adds up gradients only",
    "own",
    rule("Ftrl", K3, (" - (after - before) / lr * w", "")),
)
wrong(
    "ftrl/threshold-as-the-kernel",
    "a NaN in linear makes the weight 0",
    "own",
    rule(
        "Ftrl",
        K3,
        (
            "w = (larger(minimum(linear, l1), -l1) - linear) / quadratic",
            "w = np.where(abs(linear) > l1, (l1 * sign(linear) - linear) / quadratic, w.dtype.type(0))",
        ),
    ),
)
wrong(
    "ftrl/kernel-keeps-nan",
    "a NaN in linear makes the weight NaN",
    "own",
    rule("Ftrl", LEGACY, ("np.where(abs(linear) > l1,", "np.where(~(abs(linear) <= l1),")),
)
wrong(
    "ftrl/kernel-l1-scaled",
    "the threshold is l1 / lr",
    "own",
    rule("Ftrl", LEGACY[1:], ("abs(linear) > l1", "abs(linear) > l1 / lr")),
)
wrong(
    "ftrl/unscaled-in-2.4",
    "with shrinkage linear is the plain sum",
    "own",
    rule(
        "Ftrl",
        "tf2.4",
        ("(g + 2 * shrinkage * w) * lr - (after - before) * w", "(g + 2 * shrinkage * w) - (after - before) / lr * w"),
        (
            "abs(linear) > l1 * lr, (l1 * lr * sign(linear) - linear) / (after + 2 * l2 * lr)",
            "abs(linear) > l1, (l1 * sign(linear) - linear) / (after / lr + 2 * l2)",
        ),
    ),
)
wrong(
    "ftrl/root-for-every-power",
    "learning_rate_power is taken for -0.5",
    "own",
    rule(
        "Ftrl",
        K3,
        (
            "pow_2_21(accumulator, -power), pow_2_21(accumulator + g * g, -power)",
            "sqrt(accumulator), sqrt(accumulator + g * g)",
        ),
        ("    before", "    from goldenstep.reference.bits import sqrt\n    before"),
    ),
)

# ---- Adafactor ---------------------------------------------------------------------------------------------

wrong(
    "adafactor/learning-rate-uncapped",
    "the step may be longer than 1 / sqrt(t): relative_step=False as documented",
    "A10",
    rule("Adafactor", K3, ("minimum(lr, 1 / sqrt(t))", "lr")),
)
wrong(
    "adafactor/rows-and-columns-swapped",
    "r holds means of columns",
    "own",
    rule(
        "Adafactor",
        K3,
        ("in_float32(row_mean, square)", "in_float32(lambda x: row_mean(x) * 1, square)"),
        ("r / in_float32(row_mean, r)[..., None]", "r / in_float32(mean, r)"),
        ("minimum(lr, 1 / sqrt(t))", "minimum(lr, 1 / sqrt(t + 1))"),
    ),
)
wrong(
    "adafactor/sums-for-means",
    "r is the sum over a row, as in the paper",
    "own",
    rule(
        "Adafactor",
        K3,
        ("(1 - beta) * in_float32(row_mean, square)", "(1 - beta) * in_float32(row_mean, square) * square.shape[-1]"),
    ),
)
wrong(
    "adafactor/not-normalized",
    "v is the product of r and c",
    "own",
    rule("Adafactor", K3, ("(r / in_float32(row_mean, r)[..., None])[..., None]", "r[..., None]")),
)
wrong(
    "adafactor/no-clipping",
    "clip_threshold does nothing",
    "own",
    rule("Adafactor", K3, ("(u / maximum(one, sqrt(in_float32(mean, u * u)) / clip))", "u")),
)
wrong(
    "adafactor/always-normalized",
    "short steps are made longer, too",
    "own",
    rule(
        "Adafactor",
        K3,
        ("maximum(one, sqrt(in_float32(mean, u * u)) / clip)", "(sqrt(in_float32(mean, u * u)) / clip)"),
    ),
)
wrong(
    "adafactor/absolute-step",
    "the size of the weights does not matter",
    "own",
    rule("Adafactor", K3, ("maximum(epsilon_2, sqrt(in_float32(mean, w * w))) * ", "")),
)
wrong(
    "adafactor/epsilon_2-added",
    "epsilon_2 + rms(w)",
    "own",
    rule(
        "Adafactor",
        K3,
        ("maximum(epsilon_2, sqrt(in_float32(mean, w * w)))", "(epsilon_2 + sqrt(in_float32(mean, w * w)))"),
    ),
)
wrong(
    "adafactor/epsilon_1-afterwards",
    "epsilon_1 is added to the mean, not to the squares",
    "own",
    rule("Adafactor", K3, ("g * g + epsilon_1", "g * g"), ("g / sqrt(v)", "g / sqrt(v + epsilon_1)")),
)
wrong(
    "adafactor/decay-one-ahead",
    "(t + 1)**beta_2_decay",
    "E10",
    rule("Adafactor", K3, ("1 - power(t, decay)", "1 - power(t + 1, decay)")),
)
wrong(
    "adafactor/constant-beta",
    "beta_2 = 0.999 as Adam's",
    "own",
    rule("Adafactor", K3, ("1 - power(t, decay)", "w.dtype.type(0.999)")),
)
wrong(
    "adafactor/vectors-unclipped",
    "clip_threshold does nothing to vectors",
    "own",
    rule(
        "Adafactor",
        K3,
        (
            "    v = beta * v + (1 - beta) * square\n    u = g / sqrt(v)\n",
            "    v = beta * v + (1 - beta) * square\n    u, clip = g / sqrt(v), w.dtype.type(1e9)\n",
        ),
    ),
)
wrong(
    "adafactor/halves-averaged-in-float16",
    "means of float16 are not taken in float32",
    "own",
    rule("Adafactor", K3, ("in_float32(mean, u * u)", "mean(u * u)")),
)
wrong(
    "adafactor/halves-averaged-in-float32",
    "2.12 takes means of float16 in float32",
    "own",
    rule("Adafactor", "tf2.12", ("mean(u * u)", "mean(np.asarray(u * u, np.float32)).astype(w.dtype)")),
)

# ---- Muon --------------------------------------------------------------------------------------------------

SCALE = "sqrt(np.float32(max(w.shape))) * rms_rate"
ORTHOGONAL = {"editions": K3, "optimizers": "Muon"}
wrong(
    "muon/rows-over-columns",
    "the factor is sqrt(max(1, rows / columns))",
    "C13",
    rule("Muon", K3, (SCALE, "sqrt(np.float32(max(1, w.shape[0] / w.shape[1]))) * rms_rate")),
)
wrong(
    "muon/columns-over-rows",
    "the factor is sqrt(max(1, columns / rows))",
    "E07",
    rule("Muon", K3, (SCALE, "sqrt(np.float32(max(1, w.shape[1] / w.shape[0])))")),
)
wrong("muon/shorter-side", "the factor has the shorter side", "own", rule("Muon", K3, ("max(w.shape)", "min(w.shape)")))
wrong("muon/unscaled", "rms_rate does nothing", "own", rule("Muon", K3, (" * " + SCALE, "")))
wrong(
    "muon/never-transposed",
    "tall matrices are not turned",
    "own",
    code(
        muon,
        "orthogonal",
        ("wide = x.T if x.shape[0] > x.shape[1] else x", "wide = x"),
        ("wide.T if x.shape[0] > x.shape[1] else wide", "wide"),
        **ORTHOGONAL,
    ),
)
wrong(
    "muon/epsilon-under-the-root",
    "1e-7 is added to the sum of squares",
    "own",
    code(
        muon,
        "orthogonal",
        ("(sqrt(total(wide * wide)) + 1e-7)", "sqrt(total(wide * wide) + np.float32(1e-7))"),
        **ORTHOGONAL,
    ),
)
wrong(
    "muon/no-epsilon",
    "nothing is added to the norm",
    "own",
    code(muon, "orthogonal", ("(sqrt(total(wide * wide)) + 1e-7)", "sqrt(total(wide * wide))"), **ORTHOGONAL),
)
wrong(
    "muon/not-normalized",
    "the iteration starts from x itself",
    "own",
    code(muon, "orthogonal", ("    wide = wide / (sqrt(total(wide * wide)) + 1e-7)\n", ""), **ORTHOGONAL),
)
wrong(
    "muon/one-step-too-many",
    "ns_steps + 1",
    "own",
    code(muon, "orthogonal", ("range(steps)", "range(steps + 1)"), **ORTHOGONAL),
)
wrong(
    "muon/cubic-only",
    "the term of fifth degree is missing",
    "own",
    code(muon, "orthogonal", ("b * s + matmul(c * s, s)", "b * s"), **ORTHOGONAL),
)
wrong(
    "muon/products-rounded",
    "each product of a matrix product is rounded before it is added",
    "own",
    code(muon, "orthogonal", ("matmul(wide, wide.T)", "sum(np.multiply.outer(c, c) for c in wide.T)"), **ORTHOGONAL),
)
wrong(
    "muon/nesterov-off", "nesterov does nothing", "own", rule("Muon", K3, ("g + momentum * m if nesterov else m", "m"))
)
wrong(
    "muon/nesterov-always",
    "nesterov=False does nothing",
    "own",
    rule("Muon", K3, ("g + momentum * m if nesterov else m", "g + momentum * m")),
)
wrong(
    "muon/mean-for-sum",
    "m takes 1 - momentum of the gradient",
    "own",
    rule("Muon", K3, ("m + (g + m * (momentum - 1))", "m + (g - m) * (1 - momentum)")),
)
wrong(
    "muon/velocity-in-one-product",
    "m * momentum + g",
    "own",
    rule("Muon", K3, ("m + (g + m * (momentum - 1))", "m * momentum + g")),
)
wrong(
    "muon/one-learning-rate",
    "adam_lr_ratio does nothing",
    "own",
    rule("Muon", K3, ("learning_rate * adam_lr_ratio", "learning_rate")),
)
wrong(
    "muon/adam-epsilon-hat",
    "Adam's epsilon beside the corrected root",
    "D01",
    rule("Muon", K3, ("sqrt(v) + epsilon", "sqrt(v) + epsilon * sqrt(1 - power(b2, t))")),
)
