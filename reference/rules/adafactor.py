"""Adafactor: the second moment kept as the means of its rows and columns, and a step in proportion to the weights.

Source       Shazeer & Stern 2018, arXiv:1804.04235, algorithms 4 and 5, the latter for scalars and vectors.
             Deviations that ship: r and c are means, where the paper has sums; the step size is never above 1/sqrt(t),
             so that relative_step has no effect.
State        r, c: the dtype of w, its shape without the last axis and without the last but one; start at 0.
             v: dtype and shape of w, starts at 0; of a matrix it holds the product of r and c.
             Scalars and vectors are not factored: they have v alone.  t is 1 on the first update.
Units        learning_rate and epsilon_2 are pure: a step is measured by the root mean square of w.
             epsilon_1 is in squared units of g; clip_threshold in root mean square of the step.

edition   factored              vector              direction           float16's means are taken in
tf2.12    factored_rsqrt        vector_rsqrt        g * rsqrt(v)        float16
tf2.15    factored_rsqrt_2_15   vector_rsqrt_2_15   g * rsqrt_2_15(v)   float16
keras3    factored              vector              g / sqrt(v)         float32

edition, sparse   factored          vector          duplicate rows          untouched rows
tf2.12, tf2.15    as dense          as dense        summed in the pipeline  stay
keras3            factored_slices   vector_slices   squared each            stay

edition, graph    factored                    vector                    direction           the root mean square of u
tf2.12            factored_rsqrt_graph        vector_rsqrt_graph        g * rsqrt(v)        * (1 / clip_threshold)
tf2.15            factored_rsqrt_graph_2_15   vector_rsqrt_graph_2_15   g * rsqrt_2_15(v)   * (1 / clip_threshold)
keras3            factored_graph              vector_graph              g * rsqrt_2_15(v)   * (1 / clip_threshold)
keras3, sparse    factored_slices_graph       vector_slices_graph       g / sqrt(v)         * (1 / clip_threshold)
"""

from __future__ import annotations

from ..bits import (
    cast,
    cast_tensor,
    column_mean,
    in_float32,
    maximum,
    mean,
    minimum,
    power,
    row_mean,
    rsqrt,
    rsqrt_2_15,
    sqrt,
    total,
)
from ..slices import added, dense, divided


def factored_rsqrt(w, g, r, c, v, *, t, learning_rate, beta_2_decay, epsilon_1, epsilon_2, clip_threshold):
    """TF 2.12's Adafactor.update_step of a matrix, or of a stack of matrices in the last two axes."""
    lr, t, decay, epsilon_1, clip, one = cast(w.dtype, learning_rate, t, beta_2_decay, epsilon_1, clip_threshold, 1)
    (epsilon_2,) = cast_tensor(w.dtype, epsilon_2)
    alpha = maximum(epsilon_2, sqrt(mean(w * w))) * minimum(lr, rsqrt(t))
    beta, square = 1 - power(t, decay), g * g + epsilon_1
    r = beta * r + (1 - beta) * row_mean(square)
    c = beta * c + (1 - beta) * column_mean(square)
    v = (r / row_mean(r)[..., None])[..., None] * c[..., None, :]
    u = g * rsqrt(v)
    w = w - alpha * (u / maximum(one, sqrt(mean(u * u)) / clip))
    return w, r, c, v


def vector_rsqrt(w, g, v, *, t, learning_rate, beta_2_decay, epsilon_1, epsilon_2, clip_threshold):
    """TF 2.12's Adafactor.update_step of a scalar or vector."""
    lr, t, decay, epsilon_1, clip, one = cast(w.dtype, learning_rate, t, beta_2_decay, epsilon_1, clip_threshold, 1)
    (epsilon_2,) = cast_tensor(w.dtype, epsilon_2)
    alpha = maximum(epsilon_2, sqrt(mean(w * w))) * minimum(lr, rsqrt(t))
    beta, square = 1 - power(t, decay), g * g + epsilon_1
    v = beta * v + (1 - beta) * square
    u = g * rsqrt(v)
    w = w - alpha * (u / maximum(one, sqrt(mean(u * u)) / clip))
    return w, v


def factored_rsqrt_graph(w, g, r, c, v, *, t, learning_rate, beta_2_decay, epsilon_1, epsilon_2, clip_threshold):
    """factored_rsqrt inside tf.function: the threshold has become its reciprocal."""
    lr, t, decay, epsilon_1, clip, one = cast(w.dtype, learning_rate, t, beta_2_decay, epsilon_1, clip_threshold, 1)
    (epsilon_2,) = cast_tensor(w.dtype, epsilon_2)
    alpha = maximum(epsilon_2, sqrt(mean(w * w))) * minimum(lr, rsqrt(t))
    beta, square = 1 - power(t, decay), g * g + epsilon_1
    r = beta * r + (1 - beta) * row_mean(square)
    c = beta * c + (1 - beta) * column_mean(square)
    v = (r / row_mean(r)[..., None])[..., None] * c[..., None, :]
    u = g * rsqrt(v)
    w = w - alpha * (u / maximum(one, sqrt(mean(u * u)) * (1 / clip)))
    return w, r, c, v


def vector_rsqrt_graph(w, g, v, *, t, learning_rate, beta_2_decay, epsilon_1, epsilon_2, clip_threshold):
    """vector_rsqrt inside tf.function."""
    lr, t, decay, epsilon_1, clip, one = cast(w.dtype, learning_rate, t, beta_2_decay, epsilon_1, clip_threshold, 1)
    (epsilon_2,) = cast_tensor(w.dtype, epsilon_2)
    alpha = maximum(epsilon_2, sqrt(mean(w * w))) * minimum(lr, rsqrt(t))
    beta, square = 1 - power(t, decay), g * g + epsilon_1
    v = beta * v + (1 - beta) * square
    u = g * rsqrt(v)
    w = w - alpha * (u / maximum(one, sqrt(mean(u * u)) * (1 / clip)))
    return w, v


def factored_rsqrt_2_15(w, g, r, c, v, *, t, learning_rate, beta_2_decay, epsilon_1, epsilon_2, clip_threshold):
    """TF 2.15's Adafactor.update_step of a matrix, or of a stack of matrices in the last two axes."""
    lr, t, decay, epsilon_1, clip, one = cast(w.dtype, learning_rate, t, beta_2_decay, epsilon_1, clip_threshold, 1)
    (epsilon_2,) = cast_tensor(w.dtype, epsilon_2)
    alpha = maximum(epsilon_2, sqrt(mean(w * w))) * minimum(lr, rsqrt(t))
    beta, square = 1 - power(t, decay), g * g + epsilon_1
    r = beta * r + (1 - beta) * row_mean(square)
    c = beta * c + (1 - beta) * column_mean(square)
    v = (r / row_mean(r)[..., None])[..., None] * c[..., None, :]
    u = g * rsqrt_2_15(v)
    w = w - alpha * (u / maximum(one, sqrt(mean(u * u)) / clip))
    return w, r, c, v


def vector_rsqrt_2_15(w, g, v, *, t, learning_rate, beta_2_decay, epsilon_1, epsilon_2, clip_threshold):
    """TF 2.15's Adafactor.update_step of a scalar or vector."""
    lr, t, decay, epsilon_1, clip, one = cast(w.dtype, learning_rate, t, beta_2_decay, epsilon_1, clip_threshold, 1)
    (epsilon_2,) = cast_tensor(w.dtype, epsilon_2)
    alpha = maximum(epsilon_2, sqrt(mean(w * w))) * minimum(lr, rsqrt(t))
    beta, square = 1 - power(t, decay), g * g + epsilon_1
    v = beta * v + (1 - beta) * square
    u = g * rsqrt_2_15(v)
    w = w - alpha * (u / maximum(one, sqrt(mean(u * u)) / clip))
    return w, v


def factored_rsqrt_graph_2_15(w, g, r, c, v, *, t, learning_rate, beta_2_decay, epsilon_1, epsilon_2, clip_threshold):
    """factored_rsqrt_2_15 inside tf.function: the threshold has become its reciprocal."""
    lr, t, decay, epsilon_1, clip, one = cast(w.dtype, learning_rate, t, beta_2_decay, epsilon_1, clip_threshold, 1)
    (epsilon_2,) = cast_tensor(w.dtype, epsilon_2)
    alpha = maximum(epsilon_2, sqrt(mean(w * w))) * minimum(lr, rsqrt(t))
    beta, square = 1 - power(t, decay), g * g + epsilon_1
    r = beta * r + (1 - beta) * row_mean(square)
    c = beta * c + (1 - beta) * column_mean(square)
    v = (r / row_mean(r)[..., None])[..., None] * c[..., None, :]
    u = g * rsqrt_2_15(v)
    w = w - alpha * (u / maximum(one, sqrt(mean(u * u)) * (1 / clip)))
    return w, r, c, v


def vector_rsqrt_graph_2_15(w, g, v, *, t, learning_rate, beta_2_decay, epsilon_1, epsilon_2, clip_threshold):
    """vector_rsqrt_2_15 inside tf.function."""
    lr, t, decay, epsilon_1, clip, one = cast(w.dtype, learning_rate, t, beta_2_decay, epsilon_1, clip_threshold, 1)
    (epsilon_2,) = cast_tensor(w.dtype, epsilon_2)
    alpha = maximum(epsilon_2, sqrt(mean(w * w))) * minimum(lr, rsqrt(t))
    beta, square = 1 - power(t, decay), g * g + epsilon_1
    v = beta * v + (1 - beta) * square
    u = g * rsqrt_2_15(v)
    w = w - alpha * (u / maximum(one, sqrt(mean(u * u)) * (1 / clip)))
    return w, v


def factored(w, g, r, c, v, *, t, learning_rate, beta_2_decay, epsilon_1, epsilon_2, clip_threshold):
    """keras 3's Adafactor.update_step of a matrix, or of a stack of matrices in the last two axes."""
    lr, t, decay, epsilon_1, clip, one = cast(w.dtype, learning_rate, t, beta_2_decay, epsilon_1, clip_threshold, 1)
    (epsilon_2,) = cast_tensor(w.dtype, epsilon_2)
    alpha = maximum(epsilon_2, sqrt(in_float32(mean, w * w))) * minimum(lr, 1 / sqrt(t))
    beta, square = 1 - power(t, decay), g * g + epsilon_1
    r = beta * r + (1 - beta) * in_float32(row_mean, square)
    c = beta * c + (1 - beta) * in_float32(column_mean, square)
    v = (r / in_float32(row_mean, r)[..., None])[..., None] * c[..., None, :]
    u = g / sqrt(v)
    w = w - alpha * (u / maximum(one, sqrt(in_float32(mean, u * u)) / clip))
    return w, r, c, v


def vector(w, g, v, *, t, learning_rate, beta_2_decay, epsilon_1, epsilon_2, clip_threshold):
    """keras 3's Adafactor.update_step of a scalar or vector."""
    lr, t, decay, epsilon_1, clip, one = cast(w.dtype, learning_rate, t, beta_2_decay, epsilon_1, clip_threshold, 1)
    (epsilon_2,) = cast_tensor(w.dtype, epsilon_2)
    alpha = maximum(epsilon_2, sqrt(in_float32(mean, w * w))) * minimum(lr, 1 / sqrt(t))
    beta, square = 1 - power(t, decay), g * g + epsilon_1
    v = beta * v + (1 - beta) * square
    u = g / sqrt(v)
    w = w - alpha * (u / maximum(one, sqrt(in_float32(mean, u * u)) / clip))
    return w, v


def factored_graph(w, g, r, c, v, *, t, learning_rate, beta_2_decay, epsilon_1, epsilon_2, clip_threshold):
    """factored inside tf.function: Grappler multiplies by a reciprocal root, and by the threshold's reciprocal."""
    lr, t, decay, epsilon_1, clip, one = cast(w.dtype, learning_rate, t, beta_2_decay, epsilon_1, clip_threshold, 1)
    (epsilon_2,) = cast_tensor(w.dtype, epsilon_2)
    alpha = maximum(epsilon_2, sqrt(in_float32(mean, w * w))) * minimum(lr, 1 / sqrt(t))
    beta, square = 1 - power(t, decay), g * g + epsilon_1
    r = beta * r + (1 - beta) * in_float32(row_mean, square)
    c = beta * c + (1 - beta) * in_float32(column_mean, square)
    v = (r / in_float32(row_mean, r)[..., None])[..., None] * c[..., None, :]
    u = g * rsqrt_2_15(v)
    w = w - alpha * (u / maximum(one, sqrt(in_float32(mean, u * u)) * (1 / clip)))
    return w, r, c, v


def vector_graph(w, g, v, *, t, learning_rate, beta_2_decay, epsilon_1, epsilon_2, clip_threshold):
    """vector inside tf.function."""
    lr, t, decay, epsilon_1, clip, one = cast(w.dtype, learning_rate, t, beta_2_decay, epsilon_1, clip_threshold, 1)
    (epsilon_2,) = cast_tensor(w.dtype, epsilon_2)
    alpha = maximum(epsilon_2, sqrt(in_float32(mean, w * w))) * minimum(lr, 1 / sqrt(t))
    beta, square = 1 - power(t, decay), g * g + epsilon_1
    v = beta * v + (1 - beta) * square
    u = g * rsqrt_2_15(v)
    w = w - alpha * (u / maximum(one, sqrt(in_float32(mean, u * u)) * (1 / clip)))
    return w, v


def factored_slices(w, g, indices, r, c, v, *, t, learning_rate, beta_2_decay, epsilon_1, epsilon_2, clip_threshold):
    """keras 3's Adafactor.update_step of IndexedSlices of a matrix: untouched rows count in the means, but stay."""
    lr, t, decay, epsilon_1, clip, one = cast(w.dtype, learning_rate, t, beta_2_decay, epsilon_1, clip_threshold, 1)
    (epsilon_2,) = cast_tensor(w.dtype, epsilon_2)
    alpha = maximum(epsilon_2, sqrt(in_float32(mean, w * w))) * minimum(lr, 1 / sqrt(t))
    beta, square = 1 - power(t, decay), dense(w.shape, indices, g * g) + epsilon_1
    r = beta * r + (1 - beta) * in_float32(row_mean, square)
    c = beta * c + (1 - beta) * in_float32(column_mean, square)
    v = (r / in_float32(row_mean, r)[..., None])[..., None] * c[..., None, :]
    indices, u = divided(indices, g, sqrt(v))
    u = u / maximum(one, sqrt(total(u * u) / w.dtype.type(w.size)) / clip)
    w = added(w, indices, -(alpha * u))
    return w, r, c, v


def vector_slices(w, g, indices, v, *, t, learning_rate, beta_2_decay, epsilon_1, epsilon_2, clip_threshold):
    """keras 3's Adafactor.update_step of IndexedSlices of a vector."""
    lr, t, decay, epsilon_1, clip, one = cast(w.dtype, learning_rate, t, beta_2_decay, epsilon_1, clip_threshold, 1)
    (epsilon_2,) = cast_tensor(w.dtype, epsilon_2)
    alpha = maximum(epsilon_2, sqrt(in_float32(mean, w * w))) * minimum(lr, 1 / sqrt(t))
    beta, square = 1 - power(t, decay), dense(w.shape, indices, g * g) + epsilon_1
    v = beta * v + (1 - beta) * square
    indices, u = divided(indices, g, sqrt(v))
    u = u / maximum(one, sqrt(total(u * u) / w.dtype.type(w.size)) / clip)
    w = added(w, indices, -(alpha * u))
    return w, v


def factored_slices_graph(
    w, g, indices, r, c, v, *, t, learning_rate, beta_2_decay, epsilon_1, epsilon_2, clip_threshold
):
    """factored_slices inside tf.function."""
    lr, t, decay, epsilon_1, clip, one = cast(w.dtype, learning_rate, t, beta_2_decay, epsilon_1, clip_threshold, 1)
    (epsilon_2,) = cast_tensor(w.dtype, epsilon_2)
    alpha = maximum(epsilon_2, sqrt(in_float32(mean, w * w))) * minimum(lr, 1 / sqrt(t))
    beta, square = 1 - power(t, decay), dense(w.shape, indices, g * g) + epsilon_1
    r = beta * r + (1 - beta) * in_float32(row_mean, square)
    c = beta * c + (1 - beta) * in_float32(column_mean, square)
    v = (r / in_float32(row_mean, r)[..., None])[..., None] * c[..., None, :]
    indices, u = divided(indices, g, sqrt(v))
    u = u / maximum(one, sqrt(total(u * u) / w.dtype.type(w.size)) * (1 / clip))
    w = added(w, indices, -(alpha * u))
    return w, r, c, v


def vector_slices_graph(w, g, indices, v, *, t, learning_rate, beta_2_decay, epsilon_1, epsilon_2, clip_threshold):
    """vector_slices inside tf.function."""
    lr, t, decay, epsilon_1, clip, one = cast(w.dtype, learning_rate, t, beta_2_decay, epsilon_1, clip_threshold, 1)
    (epsilon_2,) = cast_tensor(w.dtype, epsilon_2)
    alpha = maximum(epsilon_2, sqrt(in_float32(mean, w * w))) * minimum(lr, 1 / sqrt(t))
    beta, square = 1 - power(t, decay), dense(w.shape, indices, g * g) + epsilon_1
    v = beta * v + (1 - beta) * square
    indices, u = divided(indices, g, sqrt(v))
    u = u / maximum(one, sqrt(total(u * u) / w.dtype.type(w.size)) * (1 / clip))
    w = added(w, indices, -(alpha * u))
    return w, v


RULES = {
    "tf2.12": {"factored": factored_rsqrt, "vector": vector_rsqrt},
    "tf2.15": {"factored": factored_rsqrt_2_15, "vector": vector_rsqrt_2_15},
    "keras3": {"factored": factored, "vector": vector},
}

SPARSE = {"keras3": {"factored": factored_slices, "vector": vector_slices}}

GRAPH = {
    "tf2.12": {"factored": factored_rsqrt_graph, "vector": vector_rsqrt_graph},
    "tf2.15": {"factored": factored_rsqrt_graph_2_15, "vector": vector_rsqrt_graph_2_15},
    "keras3": {"factored": factored_graph, "vector": vector_graph},
}

GRAPH_SPARSE = {"keras3": {"factored": factored_slices_graph, "vector": vector_slices_graph}}
