"""Time `apply_gradients` of the real release; runs in an oracle's environment.  Prints microseconds as JSON.

python real_step.py keras3 Adam Nadam ...
"""

import json
import os
import sys
import time

os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", KERAS_BACKEND="tensorflow")

import numpy as np
import tensorflow as tf


def microseconds(optimizer, variables, gradients, seconds=0.5):
    """The best mean of three rounds."""
    optimizer.apply_gradients(zip(gradients, variables))
    best = float("inf")
    for _ in range(3):
        count, start = 0, time.perf_counter()
        while time.perf_counter() - start < seconds:
            optimizer.apply_gradients(zip(gradients, variables))
            count += 1
        best = min(best, (time.perf_counter() - start) / count * 1e6)
    return best


def main():
    release, names = sys.argv[1], sys.argv[2:]
    if release == "keras3":
        import keras

        optimizers, make = keras.optimizers, keras.Variable
    else:
        optimizers = tf.keras.optimizers.experimental if release == "tf2.9" else tf.keras.optimizers
        make = tf.Variable
    times = {}
    for name in names:
        variables = [make(np.ones((2, 5), "float32"), name="kernel"), make(np.ones(3, "float32"), name="bias")]
        gradients = [tf.constant(np.full((2, 5), 0.1, "float32")), tf.constant(np.full(3, 0.1, "float32"))]
        times[name] = microseconds(getattr(optimizers, name)(), variables, gradients)
    print(json.dumps(times))


if __name__ == "__main__":
    main()
