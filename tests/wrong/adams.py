"""Wrong Adams, and what is built like one: AdamW, Adamax, Nadam, Lamb, Lion, ScheduleFreeAdamW."""

from __future__ import annotations

from . import LEGACY, rule, wrong

# ---- Adam: the fifteen of Keras' own golden test -----------------------------------------------------------

STEP = "w = w - (m * alpha) / (sqrt(v) + epsilon)"
HAT = "w = w - (m * alpha) / (sqrt(vhat) + epsilon)"
ALPHA = "alpha = lr * sqrt(1 - power(b2, t)) / (1 - power(b1, t))"
BETAS = "    b1, b2 = cast_tensor(w.dtype, beta_1, beta_2)\n"
K3 = "keras3"


def instead(name: str, default: str, other: str) -> tuple[str, str]:
    """Another default: what was not said otherwise is replaced, first thing in the rule."""
    return BETAS, f"    {name} = {other} if {name} == {default} else {name}\n{BETAS}"


wrong(
    "adam/amsgrad-off", "amsgrad keeps vhat and does not use it", "BUGS 0", rule("Adam", K3, ("sqrt(vhat)", "sqrt(v)"))
)
wrong(
    "adam/amsgrad-on-corrected-v",
    "the maximum is taken over v / (1 - beta_2**t)",
    "BUGS 0, D02",
    rule(
        "Adam",
        K3,
        ("vhat = maximum(vhat, v)", "vhat = maximum(vhat, v / (1 - power(b2, t)))"),
        ("lr * sqrt(1 - power(b2, t))", "lr"),
    ),
)
wrong(
    "adam/epsilon-under-the-root",
    "sqrt(v + epsilon)",
    "BUGS 0",
    rule("Adam", K3, ("sqrt(v) + epsilon", "sqrt(v + epsilon)")),
)
wrong(
    "adam/epsilon-1e-8", "epsilon defaults to 1e-8", "BUGS 0, D10", rule("Adam", K3, instead("epsilon", "1e-7", "1e-8"))
)
wrong("adam/epsilon-1e-3", "epsilon defaults to 1e-3", "BUGS 0", rule("Adam", K3, instead("epsilon", "1e-7", "1e-3")))
wrong(
    "adam/step-one-ahead",
    "t is 2 on the first update",
    "BUGS 0, E27",
    rule("Adam", K3, (BETAS, "    t = t + 1\n" + BETAS)),
)
wrong("adam/beta_1-0.8", "beta_1 defaults to 0.8", "BUGS 0", rule("Adam", K3, instead("beta_1", "0.9", "0.8")))
wrong("adam/beta_1-0.95", "beta_1 defaults to 0.95", "BUGS 0", rule("Adam", K3, instead("beta_1", "0.9", "0.95")))
wrong("adam/beta_2-0.99", "beta_2 defaults to 0.99", "BUGS 0", rule("Adam", K3, instead("beta_2", "0.999", "0.99")))
wrong(
    "adam/learning-rate-10-percent-less",
    "the step is 0.9 times too long",
    "BUGS 0",
    rule("Adam", K3, ("alpha = lr", "alpha = w.dtype.type(0.9) * lr")),
)
wrong(
    "adam/learning-rate-10-percent-more",
    "the step is 1.1 times too long",
    "BUGS 0",
    rule("Adam", K3, ("alpha = lr", "alpha = w.dtype.type(1.1) * lr")),
)
wrong(
    "adam/mean-not-corrected", "no division by 1 - beta_1**t", "BUGS 0", rule("Adam", K3, (" / (1 - power(b1, t))", ""))
)
wrong(
    "adam/squares-not-corrected",
    "no factor sqrt(1 - beta_2**t)",
    "BUGS 0",
    rule("Adam", K3, (" * sqrt(1 - power(b2, t))", "")),
)
wrong(
    "adam/nothing-corrected", "no bias correction at all", "BUGS 0, E12, E28", rule("Adam", K3, (ALPHA, "alpha = lr"))
)
wrong(
    "adam/step-ten-ahead",
    "t is 11 on the first update",
    "BUGS 0",
    rule("Adam", K3, (BETAS, "    t = t + 10\n" + BETAS)),
)

# ---- Adam: the formula -------------------------------------------------------------------------------------

wrong(
    "adam/epsilon-beside-the-corrected-root",
    "m_hat / (sqrt(v_hat) + epsilon): torch, optax and the paper's algorithm 1",
    "D01, E01",
    rule("Adam", K3, ("sqrt(v) + epsilon", "sqrt(v) + epsilon * sqrt(1 - power(b2, t))")),
)
wrong(
    "adam/epsilon-subtracted", "sqrt(v) - epsilon", "B16", rule("Adam", K3, ("sqrt(v) + epsilon", "sqrt(v) - epsilon"))
)
wrong(
    "adam/epsilon-squared-in-the-root",
    "sqrt(v + epsilon**2)",
    "own",
    rule("Adam", K3, ("sqrt(v) + epsilon", "sqrt(v + epsilon * epsilon)")),
)
wrong(
    "adam/epsilon-as-a-floor",
    "max(sqrt(v), epsilon)",
    "own",
    rule("Adam", K3, ("(sqrt(v) + epsilon)", "maximum(sqrt(v), epsilon)")),
)
wrong("adam/no-epsilon", "epsilon is not used", "own", rule("Adam", K3, ("(sqrt(v) + epsilon)", "sqrt(v)")))
wrong(
    "adam/amsgrad-epsilon-under-the-root",
    "sqrt(vhat + epsilon), only with amsgrad",
    "own",
    rule("Adam", K3, ("sqrt(vhat) + epsilon", "sqrt(vhat + epsilon)")),
)
wrong(
    "adam/betas-swapped",
    "beta_1 decays the squares, beta_2 the mean",
    "own",
    rule(
        "Adam",
        K3,
        ("1 - beta_1, 1 - beta_2", "1 - beta_2, 1 - beta_1"),
        ("beta_1, beta_2)\n    lr", "beta_2, beta_1)\n    lr"),
    ),
)
wrong(
    "adam/beta-for-its-rest", "m takes the share beta_1 of the gradient", "own", rule("Adam", K3, ("* rest_1", "* b1"))
)
wrong("adam/step-one-behind", "t is 0 on the first update", "E27", rule("Adam", K3, (BETAS, "    t = t - 1\n" + BETAS)))
wrong(
    "adam/correction-multiplied",
    "times 1 - beta_1**t",
    "E25",
    rule("Adam", K3, ("/ (1 - power(b1, t))", "* (1 - power(b1, t))")),
)
wrong(
    "adam/root-of-the-wrong-correction",
    "1 - beta_2**t without its root",
    "E25",
    rule("Adam", K3, ("sqrt(1 - power(b2, t))", "(1 - power(b2, t))")),
)
wrong(
    "adam/root-of-both-corrections",
    "sqrt(1 - beta_1**t), too",
    "E25",
    rule("Adam", K3, ("(1 - power(b1, t))", "sqrt(1 - power(b1, t))")),
)
wrong("adam/no-root-of-squares", "v + epsilon", "own", rule("Adam", K3, ("sqrt(v) + epsilon", "v + epsilon")))
wrong("adam/mean-of-sizes", "v averages abs(g)", "own", rule("Adam", K3, ("(g * g - v)", "(abs(g) - v)")))
wrong(
    "adam/variance",
    "v averages (g - m)**2, as AdaBelief does",
    "own",
    rule("Adam", K3, ("(g * g - v)", "((g - m) * (g - m) - v)")),
)
wrong(
    "adam/amsgrad-one-behind",
    "vhat sees v a step late",
    "own",
    rule(
        "Adam", K3, ("    vhat = maximum(vhat, v)\n", ""), ("    v = v +", "    vhat = maximum(vhat, v)\n    v = v +")
    ),
)
wrong(
    "adam/amsgrad-of-roots",
    "vhat holds the maximum of sqrt(v)",
    "own",
    rule("Adam", K3, ("maximum(vhat, v)", "maximum(vhat, sqrt(v))"), ("sqrt(vhat)", "vhat")),
)
wrong(
    "adam/amsgrad-in-place-of-v",
    "the next v starts from vhat",
    "own",
    rule("Adam", K3, ("return w, m, v, vhat", "return w, m, vhat, vhat")),
)
wrong(
    "adam/old-mean",
    "the step is taken before m is moved",
    "own",
    rule(
        "Adam",
        K3,
        ("    m = m + (g - m) * rest_1\n", ""),
        ("    return w, m, v", "    m = m + (g - m) * rest_1\n    return w, m, v"),
    ),
)
wrong(
    "adam/nesterov",
    "the step looks ahead, as Nadam's in optax",
    "D07",
    rule("Adam", K3, ("(m * alpha)", "((m + (g - m) * rest_1) * alpha)")),
)
wrong("adam/uphill", "the step is added", "own", rule("Adam", K3, ("w - (m", "w + (m")))

# ---- Adam: rounding ----------------------------------------------------------------------------------------

wrong(
    "adam/rest-in-float32",
    "1 - beta is taken in float32, as the kernels do",
    "B20",
    rule("Adam", K3, ("1 - beta_1, 1 - beta_2", "1 - np.float32(beta_1), 1 - np.float32(beta_2)")),
)
wrong(
    "adam/kernel-rest-in-float64",
    "1 - beta is taken in float64, as the new editions do",
    "B20",
    rule("Adam", LEGACY, ("* (1 - b2)", "* w.dtype.type(1 - float(str(beta_2)))")),
)
wrong(
    "adam/powers-by-running-product",
    "beta**t is multiplied up",
    "own",
    rule("Adam", K3, ("power(b2, t)", "product(b2, t)")),
)
wrong(
    "adam/kernel-powers-by-running-product",
    "beta_1**t is multiplied up",
    "own",
    rule("Adam", LEGACY, ("power(b1, t)", "product(b1, t)")),
)
wrong(
    "adam/powers-in-float64",
    "beta**t is taken in float64 and rounded",
    "own",
    rule("Adam", K3, ("power(b2, t)", "w.dtype.type(float(beta_2) ** float(t))")),
)
wrong(
    "adam/textbook-mean",
    "beta_1 * m + (1 - beta_1) * g",
    "own",
    rule("Adam", K3, ("m + (g - m) * rest_1", "b1 * m + rest_1 * g")),
)
wrong(
    "adam/textbook-squares",
    "beta_2 * v + (1 - beta_2) * g * g",
    "own",
    rule("Adam", K3, ("v + (g * g - v) * rest_2", "b2 * v + rest_2 * g * g")),
)
wrong(
    "adam/kernel-textbook-squares",
    "beta_2 * v + (1 - beta_2) * g * g",
    "own",
    rule("Adam", LEGACY, ("v + (g * g - v) * (1 - b2)", "b2 * v + (1 - b2) * (g * g)")),
)
wrong(
    "adam/squares-multiplied-last",
    "v + (g * g * rest - v * rest)",
    "own",
    rule("Adam", K3, ("(g * g - v) * rest_2", "(g * g * rest_2 - v * rest_2)")),
)
wrong(
    "adam/quotient-first",
    "alpha * (m / (sqrt(v) + epsilon))",
    "own",
    rule("Adam", K3, (STEP, "w = w - alpha * (m / (sqrt(v) + epsilon))")),
)
wrong(
    "adam/amsgrad-quotient-first",
    "alpha * (m / (sqrt(vhat) + epsilon))",
    "own",
    rule("Adam", K3, (HAT, "w = w - alpha * (m / (sqrt(vhat) + epsilon))")),
)
wrong(
    "adam/corrections-divided-first",
    "lr * (sqrt(..) / (..))",
    "own",
    rule("Adam", K3, (ALPHA, "alpha = lr * (sqrt(1 - power(b2, t)) / (1 - power(b1, t)))")),
)
wrong(
    "adam/learning-rate-divided-first",
    "lr / (..) * sqrt(..)",
    "own",
    rule("Adam", K3, (ALPHA, "alpha = lr / (1 - power(b1, t)) * sqrt(1 - power(b2, t))")),
)
wrong(
    "adam/root-of-the-quotient",
    "alpha in float64, rounded once",
    "own",
    rule(
        "Adam",
        K3,
        (ALPHA, "alpha = w.dtype.type(float(lr) * (1 - float(b2) ** float(t)) ** 0.5 / (1 - float(b1) ** float(t)))"),
    ),
)
wrong(
    "adam/reciprocal-root",
    "times 1 / (sqrt(v) + epsilon)",
    "own",
    rule("Adam", K3, (STEP, "w = w - (m * alpha) * (1 / (sqrt(v) + epsilon))")),
)
wrong(
    "adam/fused-multiply-add",
    "m is rounded once, as with fused multiply-add",
    "own",
    rule("Adam", K3, ("m = m + (g - m) * rest_1", "m = (wide(m) + wide(g - m) * wide(rest_1)).astype(w.dtype)")),
)
wrong(
    "adam/fused-squares",
    "v is rounded once less",
    "own",
    rule("Adam", K3, ("(g * g - v)", "(wide(g) * wide(g) - wide(v)).astype(w.dtype)")),
)
wrong(
    "adam/fused-step",
    "the last subtraction is fused",
    "own",
    rule("Adam", K3, (STEP, "w = (wide(w) - wide(m * alpha) / wide(sqrt(v) + epsilon)).astype(w.dtype)")),
)
wrong(
    "adam/halves-in-float32",
    "float16 is computed in float32",
    "own",
    rule(
        "Adam",
        K3,
        ("sqrt(v) + epsilon", "(np.sqrt(np.asarray(v, np.result_type(v, np.float32))) + epsilon).astype(w.dtype)"),
    ),
)
wrong(
    "adam/betas-in-float64",
    "the betas of the powers never were float32",
    "own",
    rule("Adam", K3, ("cast_tensor(w.dtype, beta_1, beta_2)", "cast(w.dtype, beta_1, beta_2)")),
)
wrong(
    "adam/epsilon-in-float32",
    "epsilon is rounded to float32 first",
    "own",
    rule("Adam", K3, ("learning_rate, t, epsilon,", "learning_rate, t, np.float32(epsilon),")),
)
wrong(
    "adam/amsgrad-overlooks-nan",
    "a NaN in v stays out of vhat",
    "own",
    rule("Adam", K3, ("maximum(vhat, v)", "larger(vhat, v)")),
)
wrong(
    "adam/kernel-amsgrad-keeps-nan",
    "a NaN in v gets into vhat",
    "own",
    rule("Adam", LEGACY, ("larger(vhat, v)", "maximum(vhat, v)")),
)
wrong(
    "adam/kernel-epsilon-under-the-root",
    "sqrt(v + epsilon)",
    "BUGS 0",
    rule("Adam", ("tf2.12.legacy",), ("sqrt(v) + epsilon", "sqrt(v + epsilon)")),
)
wrong(
    "adam/kernel-corrected-epsilon",
    "m_hat / (sqrt(v_hat) + epsilon)",
    "D01",
    rule("Adam", ("tf2.15.legacy",), ("sqrt(v) + epsilon", "sqrt(v) + epsilon * sqrt(1 - power(b2, t))")),
)
wrong(
    "adam/exact-root-and-no-epsilon",
    "TF 2.4 without epsilon",
    "own",
    rule("Adam", ("tf2.4",), ("(sqrt_2_4(v) + epsilon)", "sqrt_2_4(v)")),
)

# ---- AdamW -------------------------------------------------------------------------------------------------

W9 = "w = w - w * (1 - lr * decay) if weight_decay != 0 else w"
wrong(
    "adamw/right-in-2.9",
    "TF 2.9 as documented: w -= lr * weight_decay * w",
    "B04",
    rule("AdamW", "tf2.9", (W9, "w = w - w * lr * decay")),
)
wrong(
    "adamw/without-learning-rate-in-2.9",
    "w -= weight_decay * w",
    "B04, E13",
    rule("AdamW", "tf2.9", (W9, "w = w - w * decay")),
)
wrong(
    "adamw/decays-at-0",
    "weight_decay = 0 takes the weights away",
    "B04",
    rule("AdamW", "tf2.9", (W9, "w = w - w * (1 - lr * decay)")),
)
wrong(
    "adamw/decay-after-the-step",
    "the decay sees the new weights",
    "E15",
    rule("AdamW", "tf2.9", ("    " + W9 + "\n", ""), ("    return w", "    " + W9 + "\n    return w")),
)

# ---- Adamax ------------------------------------------------------------------------------------------------

wrong("adamax/no-epsilon", "the divisor is u alone, as in the paper", "own", rule("Adamax", K3, ("(u + epsilon)", "u")))
wrong(
    "adamax/epsilon-in-the-maximum",
    "max(beta_2 * u, abs(g) + epsilon): torch",
    "own",
    rule("Adamax", K3, ("abs(g)", "abs(g) + epsilon"), ("(u + epsilon)", "u")),
)
wrong(
    "adamax/u-corrected",
    "u is divided by 1 - beta_2**t",
    "own",
    rule("Adamax", K3, ("(u + epsilon)", "(u / (1 - power(b2, t)) + epsilon)")),
)
wrong("adamax/no-correction", "no division by 1 - beta_1**t", "own", rule("Adamax", K3, ("(1 - power(b1, t)) * ", "")))
wrong("adamax/signed-maximum", "max(beta_2 * u, g)", "own", rule("Adamax", K3, ("abs(g)", "g")))
wrong(
    "adamax/maximum-then-fade",
    "beta_2 * max(u, abs(g))",
    "own",
    rule("Adamax", K3, ("maximum(b2 * u, abs(g))", "b2 * maximum(u, abs(g))")),
)
wrong("adamax/no-fading", "max(u, abs(g))", "own", rule("Adamax", K3, ("b2 * u", "u")))
wrong(
    "adamax/betas-swapped",
    "beta_1 fades u",
    "own",
    rule("Adamax", K3, ("t, beta_2, epsilon, 1 - beta_1", "t, beta_1, epsilon, 1 - beta_2")),
)
wrong(
    "adamax/kernel-order",
    "the correction divides the learning rate, as in the kernel",
    "own",
    rule(
        "Adamax",
        K3,
        ("(lr * m) / ((1 - power(b1, t)) * (u + epsilon))", "lr / (1 - power(b1, t)) * (m / (u + epsilon))"),
    ),
)
wrong(
    "adamax/overlooks-nan",
    "a NaN gradient leaves u alone, as in the kernel",
    "own",
    rule("Adamax", K3, ("maximum(b2 * u, abs(g))", "larger(b2 * u, abs(g))")),
)
wrong(
    "adamax/kernel-keeps-nan",
    "a NaN gradient spoils u",
    "own",
    rule("Adamax", LEGACY, ("larger(b2 * u, abs(g))", "maximum(b2 * u, abs(g))")),
)
wrong(
    "adamax/rest-in-float32",
    "1 - beta_1 is taken in float32",
    "B20",
    rule("Adamax", K3, ("1 - beta_1", "1 - np.float32(beta_1)")),
)
wrong(
    "adamax/kernel-ops-order",
    "the whole quotient is taken at once",
    "own",
    rule(
        "Adamax",
        LEGACY,
        ("lr / (1 - power(b1, t)) * (m / (u + epsilon))", "(lr * m) / ((1 - power(b1, t)) * (u + epsilon))"),
    ),
)

# ---- Nadam -------------------------------------------------------------------------------------------------

OPS = ("tf2.9", "tf2.12", "tf2.15")
wrong(
    "nadam/dozat-schedule",
    "psi = 0.004, as the paper has it",
    "A08",
    rule(
        "Nadam",
        OPS,
        ("power(base, step)", "power(base, w.dtype.type(0.004) * step)"),
        ("power(base, after)", "power(base, w.dtype.type(0.004) * after)"),
    ),
)
wrong("nadam/fast-schedule", "psi = 1 in the legacy editions", "A08", rule("Nadam", LEGACY, ("psi * ", "")))
wrong(
    "nadam/product-once-per-variable",
    "every variable multiplies u_product",
    "B01",
    rule("Nadam", OPS, ("if u_count != t + 1:", "if True:")),
)
wrong("nadam/product-of-one", "u_product is u(t) alone", "own", rule("Nadam", OPS, ("flush(product * u)", "flush(u)")))
wrong(
    "nadam/product-one-behind",
    "the step uses u_product as it was",
    "own",
    rule("Nadam", LEGACY, ("1 - product)", "1 - before)"), ("1 - product * u_next", "1 - before * u_next")),
)
wrong("nadam/no-look-ahead", "u(t) twice", "own", rule("Nadam", K3, ("power(base, after)", "power(base, step)")))
wrong(
    "nadam/no-schedule",
    "u(t) = beta_1: optax",
    "D07",
    rule("Nadam", K3, ("b1 * (1 - 0.5 * power(base, step))", "b1"), ("b1 * (1 - 0.5 * power(base, after))", "b1")),
)
wrong(
    "nadam/mean-by-the-schedule",
    "m moves by 1 - u(t)",
    "own",
    rule("Nadam", K3, ("(g - m) * (1 - b1)", "(g - m) * (1 - u)")),
)
wrong(
    "nadam/squares-not-corrected",
    "v is not divided by 1 - beta_2**t",
    "own",
    rule("Nadam", K3, ("v / (1 - power(b2, step))", "v")),
)
wrong("nadam/gradient-whole", "the gradient's share is not 1 - u(t)", "own", rule("Nadam", K3, ("(1 - u) * g", "g")))
wrong(
    "nadam/rest-in-float64",
    "1 - beta is taken in float64",
    "B20",
    rule("Nadam", K3, ("(1 - b2)", "w.dtype.type(1 - beta_2)")),
)
wrong(
    "nadam/textbook-mean",
    "beta_1 * m + (1 - beta_1) * g",
    "own",
    rule("Nadam", K3, ("m + (g - m) * (1 - b1)", "b1 * m + (1 - b1) * g")),
)
wrong(
    "nadam/legacy-kernel-mean",
    "m + (g - m) * (1 - beta_1)",
    "own",
    rule("Nadam", LEGACY, ("b1 * m + (1 - b1) * g", "m + (g - m) * (1 - b1)")),
)
wrong(
    "nadam/base-in-float64",
    "0.96 never was float32",
    "own",
    rule(
        "Nadam",
        K3,
        (
            "b1, b2, base = cast_tensor(w.dtype, beta_1, beta_2, 0.96)",
            "b1, b2, base = *cast_tensor(w.dtype, beta_1, beta_2), w.dtype.type(0.96)",
        ),
    ),
)
wrong(
    "nadam/epsilon-under-the-root",
    "sqrt(v_hat + epsilon)",
    "own",
    rule("Nadam", K3, ("sqrt(v / (1 - power(b2, step))) + epsilon", "sqrt(v / (1 - power(b2, step)) + epsilon)")),
)

# ---- Lamb --------------------------------------------------------------------------------------------------

wrong("lamb/no-ratio", "Adam's step, corrected", "own", rule("Lamb", K3, ("ratio * lr", "lr")))
wrong(
    "lamb/ratio-upside-down",
    "the norm of the step over that of w",
    "own",
    rule("Lamb", K3, ("norm_w / norm_update if", "norm_update / norm_w if")),
)
wrong(
    "lamb/ratio-capped",
    "the ratio is at most 10",
    "own",
    rule("Lamb", K3, ("w = w - ratio", "w = w - minimum(ratio, w.dtype.type(10))")),
)
wrong("lamb/ratio-0-at-0", "where a norm is 0 the ratio is 0", "own", rule("Lamb", K3, ("else one", "else one * 0")))
wrong(
    "lamb/not-corrected",
    "m is not divided by 1 - beta_1**t",
    "E12",
    rule("Lamb", K3, ("m / (1 - power(b1, t)) / ", "m / ")),
)
wrong(
    "lamb/epsilon-hat",
    "epsilon beside the uncorrected root",
    "D01",
    rule("Lamb", K3, ("+ epsilon)", "+ epsilon / sqrt(1 - power(b2, t)))")),
)
wrong(
    "lamb/squares-by-product",
    "norms of products, not of Eigen's powers",
    "own",
    rule("Lamb", K3, ("pow_2_21(update, two)", "update * update")),
)
wrong(
    "lamb/norm-in-float64",
    "the norm of w is summed in float64",
    "own",
    rule("Lamb", K3, ("total(pow_2_21(w, two))", "np.sum(wide(pow_2_21(w, two))).astype(w.dtype)")),
)
wrong(
    "lamb/norm-of-the-first-column",
    "the norm of w leaves elements out",
    "own",
    rule("Lamb", K3, ("total(pow_2_21(w, two))", "total(pow_2_21(w[..., :1] if w.ndim else w, two))")),
)
wrong(
    "lamb/quotient-of-roots",
    "the root of the correction is taken apart",
    "own",
    rule("Lamb", K3, ("sqrt(v / (1 - power(b2, t)))", "sqrt(v) / sqrt(1 - power(b2, t))")),
)
wrong(
    "lamb/rest-in-float32",
    "1 - beta is taken in float32",
    "B20",
    rule("Lamb", K3, ("1 - beta_1, 1 - beta_2", "1 - np.float32(beta_1), 1 - np.float32(beta_2)")),
)

# ---- Lion --------------------------------------------------------------------------------------------------

wrong(
    "lion/betas-swapped",
    "the step looks at beta_2, the memory keeps beta_1",
    "own",
    rule("Lion", K3, ("learning_rate, beta_1, beta_2)\n    w", "learning_rate, beta_2, beta_1)\n    w")),
)
wrong(
    "lion/memory-first",
    "m is moved before the step",
    "own",
    rule(
        "Lion",
        K3,
        ("    w = w - lr * sign(m * b1 + g * (1 - b1))\n", ""),
        ("    return w, m", "    w = w - lr * sign(m * b1 + g * (1 - b1))\n    return w, m"),
    ),
)
wrong(
    "lion/sign-of-0-is-1",
    "a weight without slope moves",
    "own",
    rule(
        "Lion",
        K3,
        ("sign(m * b1 + g * (1 - b1))", "np.where(m * b1 + g * (1 - b1) < 0, -w.dtype.type(1), w.dtype.type(1))"),
    ),
)
wrong(
    "lion/one-beta",
    "beta_1 in both places",
    "own",
    rule("Lion", ("tf2.15", K3), ("m * b2 + g * (1 - b2)", "m * b1 + g * (1 - b1)")),
)
wrong(
    "lion/sign-of-the-gradient",
    "the mean is not looked at",
    "own",
    rule("Lion", K3, ("sign(m * b1 + g * (1 - b1))", "sign(g)")),
)
wrong(
    "lion/kernel-mean",
    "m + (g - m) * (1 - beta_2)",
    "own",
    rule("Lion", K3, ("m * b2 + g * (1 - b2)", "m + (g - m) * (1 - b2)")),
)
wrong(
    "lion/rest-in-float64",
    "1 - beta_2 is taken in float64",
    "B20",
    rule("Lion", K3, ("m * b2 + g * (1 - b2)", "m * b2 + g * w.dtype.type(1 - beta_2)")),
)

# ---- ScheduleFreeAdamW -------------------------------------------------------------------------------------

SF = "ScheduleFreeAdamW"
wrong(
    "schedulefree/old-z",
    "x is recovered with z as it was: the paper, Keras on JAX",
    "A01",
    rule(
        SF,
        K3,
        ("    z = z - lr", "    old = z\n    z = z - lr"),
        ("(w - (1 - b1) * z) / b1", "(w - (1 - b1) * old) / b1"),
    ),
)
wrong("schedulefree/no-warmup", "warmup_steps does nothing", "own", rule(SF, K3, (" * minimum(t / warmup, 1)", "")))
wrong(
    "schedulefree/warmup-one-ahead", "(t + 1) / warmup_steps", "own", rule(SF, K3, ("t / warmup", "(t + 1) / warmup"))
)
wrong(
    "schedulefree/weights-by-learning-rate",
    "during the warm-up x is weighted by lr**2",
    "A11",
    rule(
        SF,
        K3,
        (
            "    x = (1 - 1 / t) * x + 1 / t * z",
            "    lrs = [min((k + 1) / warmup, 1) ** 2 if warmup_steps > 0 else 1 for k in range(int(t))]\n    c = w.dtype.type(lrs[-1] / sum(lrs))\n    x = (1 - c) * x + c * z",  # noqa: E501
        ),
    ),
)
wrong(
    "schedulefree/average-one-behind",
    "1 / (t + 1)",
    "own",
    rule(SF, K3, ("(1 - 1 / t) * x + 1 / t * z", "(1 - 1 / (t + 1)) * x + 1 / (t + 1) * z")),
)
wrong(
    "schedulefree/interpolation-swapped",
    "beta_1 of z, the rest of x",
    "own",
    rule(SF, K3, ("(1 - b1) * z + b1 * x", "b1 * z + (1 - b1) * x")),
)
wrong(
    "schedulefree/squares-not-corrected",
    "v is not divided by 1 - beta_2**t",
    "own",
    rule(SF, K3, ("v / (1 - power(b2, t))", "v")),
)
wrong(
    "schedulefree/epsilon-under-the-root",
    "sqrt(v_hat + epsilon)",
    "own",
    rule(SF, K3, ("sqrt(v / (1 - power(b2, t))) + epsilon", "sqrt(v / (1 - power(b2, t)) + epsilon)")),
)
wrong(
    "schedulefree/average-by-difference",
    "x + (z - x) / t",
    "own",
    rule(SF, K3, ("(1 - 1 / t) * x + 1 / t * z", "x + (z - x) / t")),
)
wrong(
    "schedulefree/rest-in-float64",
    "1 - beta_2 is taken in float64",
    "B20",
    rule(SF, K3, ("(g * g - v) * (1 - b2)", "(g * g - v) * w.dtype.type(1 - beta_2)")),
)
wrong(
    "schedulefree/epsilon-in-float64",
    "epsilon never was float32",
    "own",
    rule(
        SF,
        K3,
        (
            "cast_tensor(w.dtype, beta_1, beta_2, epsilon)",
            "*cast_tensor(w.dtype, beta_1, beta_2), w.dtype.type(epsilon)",
        ),
    ),
)
