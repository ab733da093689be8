"""Steps of a real release on several replicas: MirroredStrategy over logical CPUs, called eagerly.

Beside oracle.py, in that release's own environment (Python 3.8 and numpy 1.19 on), with nothing of this project.
How many logical CPUs there are is settled when the process starts: `python oracle.py RELEASE COUNT`.
"""

import contextlib
import functools

import tensorflow as tf


class Alone:
    """One replica: no strategy at all."""

    scope = contextlib.nullcontext

    def copies(self, entries):
        return entries


class Mirrored:
    """As many replicas as there are logical CPUs."""

    def __init__(self, count):
        self.count = count
        self.strategy = strategy(count)
        self.scope = self.strategy.scope

    def run(self, step):
        """`step(r)` on every replica r."""

        def on_replica():
            context = tf.distribute.get_replica_context()
            return step(int(tf.get_static_value(context.replica_id_in_sync_group)))

        self.strategy.run(on_replica)

    def copies(self, entries):
        """Pairs of a name and a variable: those of the first replica, then those of the others."""
        found = []
        for replica in range(self.count):
            for name, variable in entries:
                inner = getattr(variable, "value", variable)
                local = self.strategy.experimental_local_results(variable if callable(inner) else inner)
                suffix = "/replica_%d" % replica if replica else ""
                found.append((name + suffix, local[min(replica, len(local) - 1)]))
        return found


@functools.lru_cache(maxsize=None)
def strategy(count):
    """One for all cases: each would number its collective operations from the same start."""
    return tf.distribute.MirroredStrategy(["CPU:%d" % i for i in range(count)])


def settle(count):
    """Make `count` logical CPUs, before anything runs."""
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration() for _ in range(count)])


def of(case):
    """What a case runs on."""
    return Mirrored(case["replicas"]) if "replicas" in case else Alone()


def made(given):
    """A function of pairs of gradient and variable that `{"multiply": factor}` stands for, or a list of them."""
    if isinstance(given, list) and given and isinstance(given[0], dict):
        return [made(one) for one in given]
    if not isinstance(given, dict) or "multiply" not in given:
        return given
    return lambda pairs: [(gradient * given["multiply"], variable) for gradient, variable in pairs]
