"""NoisyLinearCosineDecay: LinearCosineDecay with normal noise on the straight fall, of a variance that decays itself.

Source       Bello et al. 2017, Neural Optimizer Search with Reinforcement Learning, arXiv:1709.07417.
Units        the result is in units of initial_learning_rate; decay_steps in steps; num_periods in waves;
             initial_variance, variance_decay, alpha and beta are pure numbers.
Noise        one standard normal number a call, an argument here; which one the release draws is not specified.
Dtypes       float32 only, since pi and the noise are.
Errors       an integer or a float64 as initial_learning_rate raises at the call.

edition  function
tf2.4    noisy_linear_cosine_decay
"""

from __future__ import annotations

import math

from .scalars import cast, cos, minimum, power, sqrt, tensor


def noisy_linear_cosine_decay(
    step, *, initial_learning_rate, decay_steps, initial_variance, variance_decay, num_periods, alpha, beta, noise
):
    """linear_cosine_decay with noise of variance initial_variance / (1 + step) ** variance_decay on what is left."""
    lr = tensor(initial_learning_rate)
    step, steps, periods, alpha, beta = cast(lr.dtype, step, decay_steps, num_periods, alpha, beta)
    variance, decay, noise = cast(lr.dtype, initial_variance, variance_decay, noise)
    step = minimum(step, steps)
    left = (steps - step) / steps
    left = left + noise * sqrt(variance / power(1 + step, decay))
    fraction = 2 * periods * (step / steps)
    cosine = 0.5 * (1 + cos(lr.dtype.type(math.pi) * fraction))
    return lr * ((alpha + left) * cosine + beta)


SCHEDULES = {
    "tf2.4": noisy_linear_cosine_decay,
}
