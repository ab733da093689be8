"""What the releases document where they compute something else: the rules of `spec/errata` as they were meant.

`rules/` holds what ships; here is the sibling of each rule that an erratum speaks of, and nothing else.  Everything
around the rules, from the arguments to the state, is the edition's own.  None of it was ever recorded.

erratum  optimizer           as documented
E-001    Nadam               the momentum warms up by 0.96**(t / 250)
E-002    Nadam               epsilon is added to sqrt(v), before the correction
E-003    RMSprop             epsilon is added outside the square root
E-004    Adafactor           relative_step=False lifts the cap 1 / sqrt(t)
E-005    ScheduleFreeAdamW   x is recovered with the old z
E-006    ScheduleFreeAdamW   a step counts by the square of its learning rate
E-007    ScheduleFreeAdamW   weight decay is part of the step of z
E-008    AdamW               the weights lose learning_rate * weight_decay of themselves
E-009    RMSprop             a averages the gradients
E-010    RMSprop             v stays an average of squares
E-011    Ftrl                linear is not multiplied by the learning rate
E-012    four of tf2.4       the square root is a square root
E-013    all of keras3       the moving average starts at the first weights
E-063    all of keras3       an empty array is averaged, whatever its shape
E-064    all of keras3       a variable that its gradients overwrite has no average, and needs none
E-065    all but OptimizerV2 a variable that stands twice has its state once
"""

# mypy: disallow-untyped-defs=False, disallow-incomplete-defs=False, disallow-untyped-calls=False, warn-return-any=False
from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

from goldenstep import spec

from . import editions, steps
from .bits import (
    cast,
    cast_tensor,
    column_mean,
    flush,
    in_float32,
    maximum,
    mean,
    minimum,
    power,
    root_2_4,
    row_mean,
    rsqrt,
    rsqrt_2_15,
    run,
    sign,
    sqrt,
)
from .bits import root as scalar_root
from .rules import adagrad, adam, nadam, rmsprop
from .variable import Variable

Rule = Callable[..., Any]
Rules = dict[tuple[str, str, str], Rule]


# ---- Nadam: E-001 warms up, E-002 hat ---------------------------------------------------------------------------


def nadam_warms_up(w, g, m, v, u_product, u_count, *, t, learning_rate, beta_1, beta_2, epsilon):
    """Nadam of TF 2.9 to 2.15, its momentum with the paper's 1/250."""
    lr, step, after, epsilon, product = cast(w.dtype, learning_rate, t / 250, (t + 1) / 250, epsilon, u_product)
    b1, b2, base = cast_tensor(w.dtype, beta_1, beta_2, 0.96)
    u = b1 * (1 - 0.5 * power(base, step))
    u_next = b1 * (1 - 0.5 * power(base, after))
    if u_count != t + 1:
        product, u_count = flush(product * u), u_count + 1
    m = m + (g - m) * (1 - b1)
    v = v + (g * g - v) * (1 - b2)
    m_hat = u_next * m / (1 - product * u_next) + (1 - u) * g / (1 - product)
    w = w - m_hat * lr / (sqrt(v / (1 - power(b2, w.dtype.type(t)))) + epsilon)
    return w, m, v, product, u_count


def nadam_hat(w, g, m, v, u_product, u_count, *, t, learning_rate, beta_1, beta_2, epsilon):
    """Nadam of TF 2.9 to 2.15 with epsilon hat."""
    lr, step, after, epsilon, product = cast(w.dtype, learning_rate, t, t + 1, epsilon, u_product)
    b1, b2, base = cast_tensor(w.dtype, beta_1, beta_2, 0.96)
    u = b1 * (1 - 0.5 * power(base, step))
    u_next = b1 * (1 - 0.5 * power(base, after))
    if u_count != t + 1:
        product, u_count = flush(product * u), u_count + 1
    m = m + (g - m) * (1 - b1)
    v = v + (g * g - v) * (1 - b2)
    m_hat = u_next * m / (1 - product * u_next) + (1 - u) * g / (1 - product)
    w = w - m_hat * (lr * sqrt(1 - power(b2, step))) / (sqrt(v) + epsilon)
    return w, m, v, product, u_count


def nadam_warms_up_hat(w, g, m, v, u_product, u_count, *, t, learning_rate, beta_1, beta_2, epsilon):
    """Nadam of TF 2.9 to 2.15 with both."""
    lr, step, after, epsilon, product = cast(w.dtype, learning_rate, t / 250, (t + 1) / 250, epsilon, u_product)
    b1, b2, base = cast_tensor(w.dtype, beta_1, beta_2, 0.96)
    u = b1 * (1 - 0.5 * power(base, step))
    u_next = b1 * (1 - 0.5 * power(base, after))
    if u_count != t + 1:
        product, u_count = flush(product * u), u_count + 1
    m = m + (g - m) * (1 - b1)
    v = v + (g * g - v) * (1 - b2)
    m_hat = u_next * m / (1 - product * u_next) + (1 - u) * g / (1 - product)
    w = w - m_hat * (lr * sqrt(1 - power(b2, w.dtype.type(t)))) / (sqrt(v) + epsilon)
    return w, m, v, product, u_count


def advance_warming_up(u_product, *, t, beta_1):
    """Nadam of keras 3 multiplies once, before the variables: here with the paper's 1/250."""
    step, b1, base = cast(u_product.dtype, t / 250, beta_1, 0.96)
    return (flush(u_product * b1 * (1 - 0.5 * power(base, step))),)


def nadam_keras3_warms_up(w, g, m, v, u_product, *, t, learning_rate, beta_1, beta_2, epsilon):
    """Nadam of keras 3, its momentum with the paper's 1/250."""
    lr, step, after, epsilon, product = cast(w.dtype, learning_rate, t / 250, (t + 1) / 250, epsilon, u_product)
    b1, b2, base = cast_tensor(w.dtype, beta_1, beta_2, 0.96)
    u = b1 * (1 - 0.5 * power(base, step))
    u_next = b1 * (1 - 0.5 * power(base, after))
    m = m + (g - m) * (1 - b1)
    v = v + (g * g - v) * (1 - b2)
    m_hat = u_next * m / (1 - product * u_next) + (1 - u) * g / (1 - product)
    w = w - m_hat * lr / (sqrt(v / (1 - power(b2, w.dtype.type(t)))) + epsilon)
    return w, m, v, u_product


def nadam_keras3_hat(w, g, m, v, u_product, *, t, learning_rate, beta_1, beta_2, epsilon):
    """Nadam of keras 3 with epsilon hat."""
    lr, step, after, epsilon, product = cast(w.dtype, learning_rate, t, t + 1, epsilon, u_product)
    b1, b2, base = cast_tensor(w.dtype, beta_1, beta_2, 0.96)
    u = b1 * (1 - 0.5 * power(base, step))
    u_next = b1 * (1 - 0.5 * power(base, after))
    m = m + (g - m) * (1 - b1)
    v = v + (g * g - v) * (1 - b2)
    m_hat = u_next * m / (1 - product * u_next) + (1 - u) * g / (1 - product)
    w = w - m_hat * (lr * sqrt(1 - power(b2, step))) / (sqrt(v) + epsilon)
    return w, m, v, u_product


def nadam_keras3_warms_up_hat(w, g, m, v, u_product, *, t, learning_rate, beta_1, beta_2, epsilon):
    """Nadam of keras 3 with both."""
    lr, step, after, epsilon, product = cast(w.dtype, learning_rate, t / 250, (t + 1) / 250, epsilon, u_product)
    b1, b2, base = cast_tensor(w.dtype, beta_1, beta_2, 0.96)
    u = b1 * (1 - 0.5 * power(base, step))
    u_next = b1 * (1 - 0.5 * power(base, after))
    m = m + (g - m) * (1 - b1)
    v = v + (g * g - v) * (1 - b2)
    m_hat = u_next * m / (1 - product * u_next) + (1 - u) * g / (1 - product)
    w = w - m_hat * (lr * sqrt(1 - power(b2, w.dtype.type(t)))) / (sqrt(v) + epsilon)
    return w, m, v, u_product


# ---- RMSprop: E-003 outside -------------------------------------------------------------------------------------


def rmsprop_outside(w, g, v, *, learning_rate, rho, epsilon):
    """RMSprop with epsilon outside the square root, 1 - rho taken in float64."""
    rest = w.dtype.type(1 - rho)
    lr, rho, epsilon = cast(w.dtype, learning_rate, rho, epsilon)
    v = rho * v + rest * (g * g)
    w = w - lr * g / (sqrt(v) + epsilon)
    return w, v


def rmsprop_momentum_outside(w, g, v, m, *, learning_rate, rho, momentum, epsilon):
    """The same with momentum."""
    rest = w.dtype.type(1 - rho)
    lr, rho, momentum, epsilon = cast(w.dtype, learning_rate, rho, momentum, epsilon)
    v = rho * v + rest * (g * g)
    m = momentum * m + lr * g / (sqrt(v) + epsilon)
    w = w - m
    return w, v, m


def rmsprop_centered_outside(w, g, v, a, *, learning_rate, rho, epsilon):
    """The same with centered=True."""
    rest = w.dtype.type(1 - rho)
    lr, rho, epsilon = cast(w.dtype, learning_rate, rho, epsilon)
    v = rho * v + rest * (g * g)
    a = rho * a + rest * g
    w = w - lr * g / (sqrt(v - a * a) + epsilon)
    return w, v, a


def rmsprop_centered_momentum_outside(w, g, v, m, a, *, learning_rate, rho, momentum, epsilon):
    """The same with centered=True and momentum."""
    rest = w.dtype.type(1 - rho)
    lr, rho, momentum, epsilon = cast(w.dtype, learning_rate, rho, momentum, epsilon)
    v = rho * v + rest * (g * g)
    a = rho * a + rest * g
    m = momentum * m + lr * g / (sqrt(v - a * a) + epsilon)
    w = w - m
    return w, v, m, a


def rmsprop_kernel_outside(w, g, v, m, *, learning_rate, rho, momentum, epsilon):
    """OptimizerV2's RMSprop with momentum, 1 - rho taken in the dtype of w."""
    lr, rho, momentum, epsilon = cast(w.dtype, learning_rate, rho, momentum, epsilon)
    v = v + (g * g - v) * (1 - rho)
    m = m * momentum + (g * lr) / (sqrt(v) + epsilon)
    w = w - m
    return w, v, m


def rmsprop_kernel_centered_outside(w, g, v, m, a, *, learning_rate, rho, momentum, epsilon):
    """OptimizerV2's RMSprop with centered=True and momentum."""
    lr, rho, momentum, epsilon = cast(w.dtype, learning_rate, rho, momentum, epsilon)
    v = v + (g * g - v) * (1 - rho)
    a = a + (g - a) * (1 - rho)
    m = m * momentum + (g * lr) / (sqrt(v - a * a) + epsilon)
    w = w - m
    return w, v, m, a


# ---- Adafactor: E-004 -------------------------------------------------------------------------------------------


def factored_2_12(
    w, g, r, c, v, *, t, learning_rate, beta_2_decay, epsilon_1, epsilon_2, clip_threshold, relative_step
):
    """TF 2.12's Adafactor of a matrix, with the cap if it is asked for."""
    lr, t, decay, epsilon_1, clip, one = cast(w.dtype, learning_rate, t, beta_2_decay, epsilon_1, clip_threshold, 1)
    (epsilon_2,) = cast_tensor(w.dtype, epsilon_2)
    lr = minimum(lr, rsqrt(t)) if relative_step else lr
    alpha = maximum(epsilon_2, sqrt(mean(w * w))) * lr
    beta, square = 1 - power(t, decay), g * g + epsilon_1
    r = beta * r + (1 - beta) * row_mean(square)
    c = beta * c + (1 - beta) * column_mean(square)
    v = (r / row_mean(r)[..., None])[..., None] * c[..., None, :]
    u = g * rsqrt(v)
    w = w - alpha * (u / maximum(one, sqrt(mean(u * u)) / clip))
    return w, r, c, v


def vector_2_12(w, g, v, *, t, learning_rate, beta_2_decay, epsilon_1, epsilon_2, clip_threshold, relative_step):
    """TF 2.12's Adafactor of a scalar or vector, with the cap if it is asked for."""
    lr, t, decay, epsilon_1, clip, one = cast(w.dtype, learning_rate, t, beta_2_decay, epsilon_1, clip_threshold, 1)
    (epsilon_2,) = cast_tensor(w.dtype, epsilon_2)
    lr = minimum(lr, rsqrt(t)) if relative_step else lr
    alpha = maximum(epsilon_2, sqrt(mean(w * w))) * lr
    beta, square = 1 - power(t, decay), g * g + epsilon_1
    v = beta * v + (1 - beta) * square
    u = g * rsqrt(v)
    w = w - alpha * (u / maximum(one, sqrt(mean(u * u)) / clip))
    return w, v


def factored_2_15(
    w, g, r, c, v, *, t, learning_rate, beta_2_decay, epsilon_1, epsilon_2, clip_threshold, relative_step
):
    """TF 2.15's Adafactor of a matrix, with the cap if it is asked for."""
    lr, t, decay, epsilon_1, clip, one = cast(w.dtype, learning_rate, t, beta_2_decay, epsilon_1, clip_threshold, 1)
    (epsilon_2,) = cast_tensor(w.dtype, epsilon_2)
    lr = minimum(lr, rsqrt(t)) if relative_step else lr
    alpha = maximum(epsilon_2, sqrt(mean(w * w))) * lr
    beta, square = 1 - power(t, decay), g * g + epsilon_1
    r = beta * r + (1 - beta) * row_mean(square)
    c = beta * c + (1 - beta) * column_mean(square)
    v = (r / row_mean(r)[..., None])[..., None] * c[..., None, :]
    u = g * rsqrt_2_15(v)
    w = w - alpha * (u / maximum(one, sqrt(mean(u * u)) / clip))
    return w, r, c, v


def vector_2_15(w, g, v, *, t, learning_rate, beta_2_decay, epsilon_1, epsilon_2, clip_threshold, relative_step):
    """TF 2.15's Adafactor of a scalar or vector, with the cap if it is asked for."""
    lr, t, decay, epsilon_1, clip, one = cast(w.dtype, learning_rate, t, beta_2_decay, epsilon_1, clip_threshold, 1)
    (epsilon_2,) = cast_tensor(w.dtype, epsilon_2)
    lr = minimum(lr, rsqrt(t)) if relative_step else lr
    alpha = maximum(epsilon_2, sqrt(mean(w * w))) * lr
    beta, square = 1 - power(t, decay), g * g + epsilon_1
    v = beta * v + (1 - beta) * square
    u = g * rsqrt_2_15(v)
    w = w - alpha * (u / maximum(one, sqrt(mean(u * u)) / clip))
    return w, v


def factored(w, g, r, c, v, *, t, learning_rate, beta_2_decay, epsilon_1, epsilon_2, clip_threshold, relative_step):
    """keras 3's Adafactor of a matrix, with the cap if it is asked for."""
    lr, t, decay, epsilon_1, clip, one = cast(w.dtype, learning_rate, t, beta_2_decay, epsilon_1, clip_threshold, 1)
    (epsilon_2,) = cast_tensor(w.dtype, epsilon_2)
    lr = minimum(lr, 1 / sqrt(t)) if relative_step else lr
    alpha = maximum(epsilon_2, sqrt(in_float32(mean, w * w))) * lr
    beta, square = 1 - power(t, decay), g * g + epsilon_1
    r = beta * r + (1 - beta) * in_float32(row_mean, square)
    c = beta * c + (1 - beta) * in_float32(column_mean, square)
    v = (r / in_float32(row_mean, r)[..., None])[..., None] * c[..., None, :]
    u = g / sqrt(v)
    w = w - alpha * (u / maximum(one, sqrt(in_float32(mean, u * u)) / clip))
    return w, r, c, v


def vector(w, g, v, *, t, learning_rate, beta_2_decay, epsilon_1, epsilon_2, clip_threshold, relative_step):
    """keras 3's Adafactor of a scalar or vector, with the cap if it is asked for."""
    lr, t, decay, epsilon_1, clip, one = cast(w.dtype, learning_rate, t, beta_2_decay, epsilon_1, clip_threshold, 1)
    (epsilon_2,) = cast_tensor(w.dtype, epsilon_2)
    lr = minimum(lr, 1 / sqrt(t)) if relative_step else lr
    alpha = maximum(epsilon_2, sqrt(in_float32(mean, w * w))) * lr
    beta, square = 1 - power(t, decay), g * g + epsilon_1
    v = beta * v + (1 - beta) * square
    u = g / sqrt(v)
    w = w - alpha * (u / maximum(one, sqrt(in_float32(mean, u * u)) / clip))
    return w, v


# ---- ScheduleFreeAdamW: E-005 old z, E-006 weighed, E-007 decays --------------------------------------------------


def old_z(w, g, z, v, *, t, learning_rate, beta_1, beta_2, epsilon, warmup_steps):
    """ScheduleFreeAdamW that recovers x before z moves."""
    lr, t, warmup = cast(w.dtype, learning_rate, t, warmup_steps)
    b1, b2, epsilon = cast_tensor(w.dtype, beta_1, beta_2, epsilon)
    lr = lr * minimum(t / warmup, 1) if warmup_steps > 0 else lr
    v = v + (g * g - v) * (1 - b2)
    x = (w - (1 - b1) * z) / b1
    z = z - lr * g / (sqrt(v / (1 - power(b2, t))) + epsilon)
    x = (1 - 1 / t) * x + 1 / t * z
    w = (1 - b1) * z + b1 * x
    return w, z, v


def weighed(w, g, z, v, *, t, learning_rate, beta_1, beta_2, epsilon, warmup_steps):
    """ScheduleFreeAdamW that weighs a step by its squared learning rate."""
    share = w.dtype.type(share_of_step(t, warmup_steps))
    lr, t, warmup = cast(w.dtype, learning_rate, t, warmup_steps)
    b1, b2, epsilon = cast_tensor(w.dtype, beta_1, beta_2, epsilon)
    lr = lr * minimum(t / warmup, 1) if warmup_steps > 0 else lr
    v = v + (g * g - v) * (1 - b2)
    z = z - lr * g / (sqrt(v / (1 - power(b2, t))) + epsilon)
    x = (w - (1 - b1) * z) / b1
    x = (1 - share) * x + share * z
    w = (1 - b1) * z + b1 * x
    return w, z, v


def old_z_weighed(w, g, z, v, *, t, learning_rate, beta_1, beta_2, epsilon, warmup_steps):
    """ScheduleFreeAdamW with both."""
    share = w.dtype.type(share_of_step(t, warmup_steps))
    lr, t, warmup = cast(w.dtype, learning_rate, t, warmup_steps)
    b1, b2, epsilon = cast_tensor(w.dtype, beta_1, beta_2, epsilon)
    lr = lr * minimum(t / warmup, 1) if warmup_steps > 0 else lr
    v = v + (g * g - v) * (1 - b2)
    x = (w - (1 - b1) * z) / b1
    z = z - lr * g / (sqrt(v / (1 - power(b2, t))) + epsilon)
    x = (1 - share) * x + share * z
    w = (1 - b1) * z + b1 * x
    return w, z, v


def decays(w, g, z, v, *, t, learning_rate, weight_decay, beta_1, beta_2, epsilon, warmup_steps):
    """ScheduleFreeAdamW whose weight decay is part of the step of z."""
    lr, t, warmup = cast(w.dtype, learning_rate, t, warmup_steps)
    b1, b2, epsilon, decay = cast_tensor(w.dtype, beta_1, beta_2, epsilon, weight_decay or 0)
    lr = lr * minimum(t / warmup, 1) if warmup_steps > 0 else lr
    v = v + (g * g - v) * (1 - b2)
    z = z - lr * g / (sqrt(v / (1 - power(b2, t))) + epsilon) - (lr * decay * w if weight_decay else 0)
    x = (w - (1 - b1) * z) / b1
    x = (1 - 1 / t) * x + 1 / t * z
    w = (1 - b1) * z + b1 * x
    return w, z, v


def old_z_decays(w, g, z, v, *, t, learning_rate, weight_decay, beta_1, beta_2, epsilon, warmup_steps):
    """ScheduleFreeAdamW with the old z and such weight decay."""
    lr, t, warmup = cast(w.dtype, learning_rate, t, warmup_steps)
    b1, b2, epsilon, decay = cast_tensor(w.dtype, beta_1, beta_2, epsilon, weight_decay or 0)
    lr = lr * minimum(t / warmup, 1) if warmup_steps > 0 else lr
    v = v + (g * g - v) * (1 - b2)
    x = (w - (1 - b1) * z) / b1
    z = z - lr * g / (sqrt(v / (1 - power(b2, t))) + epsilon) - (lr * decay * w if weight_decay else 0)
    x = (1 - 1 / t) * x + 1 / t * z
    w = (1 - b1) * z + b1 * x
    return w, z, v


def old_z_weighed_decays(w, g, z, v, *, t, learning_rate, weight_decay, beta_1, beta_2, epsilon, warmup_steps):
    """ScheduleFreeAdamW as its paper has it."""
    share = w.dtype.type(share_of_step(t, warmup_steps))
    lr, t, warmup = cast(w.dtype, learning_rate, t, warmup_steps)
    b1, b2, epsilon, decay = cast_tensor(w.dtype, beta_1, beta_2, epsilon, weight_decay or 0)
    lr = lr * minimum(t / warmup, 1) if warmup_steps > 0 else lr
    v = v + (g * g - v) * (1 - b2)
    x = (w - (1 - b1) * z) / b1
    z = z - lr * g / (sqrt(v / (1 - power(b2, t))) + epsilon) - (lr * decay * w if weight_decay else 0)
    x = (1 - share) * x + share * z
    w = (1 - b1) * z + b1 * x
    return w, z, v


def share_of_step(t, warmup_steps):
    """Weight of step t in the average, for a learning rate that is constant but for its warm-up."""
    weights = [min(i / warmup_steps, 1) ** 2 if warmup_steps > 0 else 1 for i in range(1, t + 1)]
    return weights[-1] / sum(weights)


# ---- AdamW: E-008 -----------------------------------------------------------------------------------------------


def adamw(w, g, m, v, *, t, learning_rate, weight_decay, beta_1, beta_2, epsilon):
    """AdamW of TF 2.9 that takes away what it should."""
    lr, t, epsilon = cast(w.dtype, learning_rate, t, epsilon)
    b1, b2, decay = cast_tensor(w.dtype, beta_1, beta_2, weight_decay)
    rest_1, rest_2 = cast(w.dtype, 1 - beta_1, 1 - beta_2)
    alpha = lr * sqrt(1 - power(b2, t)) / (1 - power(b1, t))
    w = w - w * (lr * decay) if weight_decay != 0 else w
    m = m + (g - m) * rest_1
    v = v + (g * g - v) * rest_2
    w = w - (m * alpha) / (sqrt(v) + epsilon)
    return w, m, v


def amsgradw(w, g, m, v, vhat, *, t, learning_rate, weight_decay, beta_1, beta_2, epsilon):
    """The same with amsgrad=True."""
    lr, t, epsilon = cast(w.dtype, learning_rate, t, epsilon)
    b1, b2, decay = cast_tensor(w.dtype, beta_1, beta_2, weight_decay)
    rest_1, rest_2 = cast(w.dtype, 1 - beta_1, 1 - beta_2)
    alpha = lr * sqrt(1 - power(b2, t)) / (1 - power(b1, t))
    w = w - w * (lr * decay) if weight_decay != 0 else w
    m = m + (g - m) * rest_1
    v = v + (g * g - v) * rest_2
    vhat = maximum(vhat, v)
    w = w - (m * alpha) / (sqrt(vhat) + epsilon)
    return w, m, v, vhat


# ---- RMSprop of TF 2.9, centered: E-009 mean of gradients, E-010 unspoiled -----------------------------------------


def centered_mean(w, g, v, a, *, learning_rate, rho, epsilon):
    """a averages the gradients, and v still loses a*a."""
    rest = w.dtype.type(1 - rho)
    lr, rho, epsilon = cast(w.dtype, learning_rate, rho, epsilon)
    v = rho * v + rest * (g * g)
    a = rho * a + rest * g
    v = v - a * a
    w = w - lr * (g / (sqrt(v) + epsilon))
    return w, v, a


def centered_unspoiled(w, g, v, a, *, learning_rate, rho, epsilon):
    """v loses nothing, and a still averages squares."""
    rest = w.dtype.type(1 - rho)
    lr, rho, epsilon = cast(w.dtype, learning_rate, rho, epsilon)
    v = rho * v + rest * (g * g)
    a = rho * a + rest * (g * g)
    w = w - lr * (g / (sqrt(v - a * a) + epsilon))
    return w, v, a


def centered_sound(w, g, v, a, *, learning_rate, rho, epsilon):
    """a averages the gradients, and v loses nothing."""
    rest = w.dtype.type(1 - rho)
    lr, rho, epsilon = cast(w.dtype, learning_rate, rho, epsilon)
    v = rho * v + rest * (g * g)
    a = rho * a + rest * g
    w = w - lr * (g / (sqrt(v - a * a) + epsilon))
    return w, v, a


def centered_momentum_mean(w, g, v, m, a, *, learning_rate, rho, momentum, epsilon):
    """With momentum: a averages the gradients, and v still loses a*a."""
    rest = w.dtype.type(1 - rho)
    lr, rho, momentum, epsilon = cast(w.dtype, learning_rate, rho, momentum, epsilon)
    v = rho * v + rest * (g * g)
    a = rho * a + rest * g
    v = v - a * a
    m = momentum * m + g / (sqrt(v) + epsilon)
    w = w - lr * m
    return w, v, m, a


def centered_momentum_unspoiled(w, g, v, m, a, *, learning_rate, rho, momentum, epsilon):
    """With momentum: v loses nothing, and a still averages squares."""
    rest = w.dtype.type(1 - rho)
    lr, rho, momentum, epsilon = cast(w.dtype, learning_rate, rho, momentum, epsilon)
    v = rho * v + rest * (g * g)
    a = rho * a + rest * (g * g)
    m = momentum * m + g / (sqrt(v - a * a) + epsilon)
    w = w - lr * m
    return w, v, m, a


def centered_momentum_sound(w, g, v, m, a, *, learning_rate, rho, momentum, epsilon):
    """With momentum: a averages the gradients, and v loses nothing."""
    rest = w.dtype.type(1 - rho)
    lr, rho, momentum, epsilon = cast(w.dtype, learning_rate, rho, momentum, epsilon)
    v = rho * v + rest * (g * g)
    a = rho * a + rest * g
    m = momentum * m + g / (sqrt(v - a * a) + epsilon)
    w = w - lr * m
    return w, v, m, a


# ---- Ftrl of TF 2.4: E-011 --------------------------------------------------------------------------------------


def ftrl_unscaled(
    w,
    g,
    accumulator,
    linear,
    *,
    learning_rate,
    learning_rate_power,
    l1_regularization_strength,
    l2_regularization_strength,
    l2_shrinkage_regularization_strength,
    beta,
):
    """Ftrl of TF 2.4 with shrinkage, its linear as without."""
    lr, beta, p = cast(w.dtype, learning_rate, beta, -learning_rate_power)
    l1, l2 = cast(w.dtype, l1_regularization_strength, l2_regularization_strength)
    (shrinkage,) = cast_tensor(w.dtype, l2_shrinkage_regularization_strength)
    l2 = l2 + beta / (2 * lr)
    before, after = root_2_4(accumulator, p), root_2_4(accumulator + g * g, p)
    linear = linear + (g + 2 * shrinkage * w - (after - before) / lr * w)
    after = scalar_root(accumulator + g * g, p)
    w = np.where(abs(linear) > l1, (l1 * sign(linear) - linear) / (after / lr + 2 * l2), w.dtype.type(0))
    return w, accumulator + g * g, linear


# ---- tables -----------------------------------------------------------------------------------------------------


def of(names: Iterable[str], optimizer: str, **variants: Any) -> Rules:
    """The same rules in several editions."""
    return {(edition, optimizer, variant): rule for edition in names for variant, rule in variants.items()}


KERAS_2 = ("tf2.9", "tf2.12", "tf2.15")
LEGACY = ("tf2.4", "tf2.9.legacy", "tf2.12.legacy", "tf2.15.legacy")

# By erratum: the rule that takes the place of the shipped one.
DOCUMENTED: dict[str, Rules] = {
    "E-001": {
        **of(KERAS_2, "Nadam", plain=nadam_warms_up),
        **of(["keras3"], "Nadam", plain=nadam_keras3_warms_up, prepare=advance_warming_up),
    },
    "E-002": {**of(KERAS_2, "Nadam", plain=nadam_hat), **of(["keras3"], "Nadam", plain=nadam_keras3_hat)},
    "E-003": {
        **of(
            ["tf2.12", "tf2.15", "keras3"],
            "RMSprop",
            plain=rmsprop_outside,
            momentum=rmsprop_momentum_outside,
            centered=rmsprop_centered_outside,
            centered_momentum=rmsprop_centered_momentum_outside,
        ),
        **of(LEGACY, "RMSprop", momentum=rmsprop_kernel_outside, centered_momentum=rmsprop_kernel_centered_outside),
    },
    "E-004": {
        **of(["tf2.12"], "Adafactor", factored=factored_2_12, vector=vector_2_12),
        **of(["tf2.15"], "Adafactor", factored=factored_2_15, vector=vector_2_15),
        **of(["keras3"], "Adafactor", factored=factored, vector=vector),
    },
    "E-005": of(["keras3"], "ScheduleFreeAdamW", plain=old_z),
    "E-006": of(["keras3"], "ScheduleFreeAdamW", plain=weighed),
    "E-007": of(["keras3"], "ScheduleFreeAdamW", plain=decays),
    "E-008": of(["tf2.9"], "AdamW", plain=adamw, amsgrad=amsgradw),
    "E-009": of(["tf2.9"], "RMSprop", centered=centered_mean, centered_momentum=centered_momentum_mean),
    "E-010": of(["tf2.9"], "RMSprop", centered=centered_unspoiled, centered_momentum=centered_momentum_unspoiled),
    "E-011": of(["tf2.4"], "Ftrl", shrinkage=ftrl_unscaled, shrinkage_power=ftrl_unscaled),
    "E-012": {
        **of(["tf2.4"], "Adagrad", **adagrad.RULES["tf2.9.legacy"]),
        **of(["tf2.4"], "Adam", **adam.RULES["tf2.9.legacy"]),
        **of(["tf2.4"], "Nadam", plain=nadam.nadam_legacy),
        **of(["tf2.4"], "RMSprop", **rmsprop.RULES["tf2.9.legacy"]),
    },
    "E-013": {},
    "E-063": {},
    "E-064": {},
    "E-065": {},
}

# Where several errata speak of one rule: the rule that is as documented in all of them.
TOGETHER: dict[frozenset[str], Rules] = {
    frozenset({"E-001", "E-002"}): {
        **of(KERAS_2, "Nadam", plain=nadam_warms_up_hat),
        **of(["keras3"], "Nadam", plain=nadam_keras3_warms_up_hat),
    },
    frozenset({"E-003", "E-012"}): DOCUMENTED["E-003"],
    frozenset({"E-005", "E-006"}): of(["keras3"], "ScheduleFreeAdamW", plain=old_z_weighed),
    frozenset({"E-005", "E-007"}): of(["keras3"], "ScheduleFreeAdamW", plain=old_z_decays),
    frozenset({"E-005", "E-006", "E-007"}): of(["keras3"], "ScheduleFreeAdamW", plain=old_z_weighed_decays),
    frozenset({"E-009", "E-010"}): of(
        ["tf2.9"], "RMSprop", centered=centered_sound, centered_momentum=centered_momentum_sound
    ),
}


class DecaysInTheRule:
    """E-007: the pipeline leaves the weights alone."""

    def _weight_decay_of(self, variable: Variable) -> None:
        return None


class AveragesFromTheStart:
    """E-013: the averages start at the first weights, and every step moves them alike."""

    _averages: list[Variable | None]
    _take_averages: Callable[[Sequence[Variable]], None]
    _config: dict[str, Any]
    _trainable_variables: list[Variable]
    iterations: Any
    built: bool

    def build(self, variables: Sequence[Variable]) -> None:
        fresh = not self.built
        super().build(variables)  # type: ignore[misc]
        if fresh and self._config["use_ema"]:
            averaged = [a for a in self._averages if a is not None]
            steps.overwrite(averaged, [v for v in variables if not v.overwrite_with_gradient])

    def _average_weights(self) -> None:
        frequency = self._config["ema_overwrite_frequency"]
        averaged = zip(self._averages, self._trainable_variables, strict=False) if self._config["use_ema"] else ()
        for average, variable in averaged:
            if average is not None:
                (m,) = cast(variable.dtype, self._config["ema_momentum"])
                average.value = run(lambda a, w, m: (m * a + (1 - m) * w,), average.value, variable.value, m)[0]
        if self._config["use_ema"] and frequency and (int(self.iterations) + 1) % frequency == 0:
            self._take_averages(self._trainable_variables)


class AveragesEmptyArrays:
    """E-063: no array is refused."""

    def _refuse_empty(self, variable: Variable) -> None:
        return None


class AveragesTheOthers:
    """E-064: a variable that its gradients overwrite stays as it is where the others become their averages."""

    _averages: list[Variable | None]

    def _take_averages(self, variables: Sequence[Variable]) -> None:
        for variable, average in zip(variables, self._averages, strict=False):
            if average is not None:
                variable.assign(average.value)


class OneStateOfEach:
    """E-065: a variable that stands twice has its state once."""

    def build(self, variables: Sequence[Variable]) -> None:
        super().build(list({id(v): v for v in variables}.values()))  # type: ignore[misc]


# By erratum: what of the pipeline is otherwise.
PIPELINES: dict[str, type] = {
    "E-007": DecaysInTheRule,
    "E-013": AveragesFromTheStart,
    "E-063": AveragesEmptyArrays,
    "E-064": AveragesTheOthers,
    "E-065": OneStateOfEach,
}


def rule_of(errata: frozenset[str], place: tuple[str, str, str]) -> Rule | None:
    """The rule as documented in those of the errata that speak of this place; None if none does.

    LookupError if they are several and no rule follows them all.
    """
    speaking = frozenset(erratum for erratum in errata if place in DOCUMENTED[erratum])
    if len(speaking) <= 1:
        return DOCUMENTED[next(iter(speaking))][place] if speaking else None
    if place not in TOGETHER.get(speaking, {}):
        raise LookupError(f"no rule of {place} follows {', '.join(sorted(speaking))} together")
    return TOGETHER[speaking][place]


def concerns(erratum: str, edition: str, name: str) -> bool:
    """Does an erratum speak of this optimizer of this edition?"""
    document = spec.errata()[erratum]
    return edition in document["editions"] and (document["optimizers"] == "all" or name in document["optimizers"])


def optimizer(edition: str, name: str, errata: Iterable[str]) -> type:
    """The reference's class of an optimizer, as documented where these errata say that the release is not."""
    shipped: Any = getattr(editions.namespace(edition), name)
    chosen = frozenset(errata)
    rules = SimpleNamespace(**vars(shipped.rules))
    table = rules.RULES[edition]
    rules.RULES = {edition: {v: rule_of(chosen, (edition, name, v)) or rule for v, rule in table.items()}}
    prepare = rule_of(chosen, (edition, name, "prepare"))
    if prepare:
        rules.PREPARE = {edition: prepare}
    mixins = tuple(PIPELINES[e] for e in sorted(chosen & PIPELINES.keys()) if concerns(e, edition, name))
    return type(name, (*mixins, shipped), {"rules": rules, "__doc__": shipped.__doc__})
