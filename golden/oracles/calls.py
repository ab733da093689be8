"""Calls of any method of a real release's optimizer, and attributes read: what they return, and what they warn of.

Beside oracle.py, in that release's own environment (Python 3.8 and numpy 1.19 on), with nothing of this project.
A result is JSON: numbers, strings and null as they are; {"state": i} for the optimizer's own i-th variable,
{"variable": i} for the case's; {"dtype", "shape", "values"} for any other tensor, variable or array; a list for a list
or tuple; {"dict": pairs} for a dict, and {"type": name} for anything else.
"""

import logging
import warnings

import numpy as np
import tensorflow as tf


class Caller:
    """The methods of one optimizer, with arguments and results as JSON has them.

    `tools` are the oracle's own functions: array_of, flat, state_of, value_of, and `made` for schedules.
    """

    def __init__(self, optimizer, variables, edition, tools):
        self.optimizer = optimizer
        self.variables = variables
        self.edition = edition
        self.tools = tools
        self.tape = None

    def get(self, name):
        """An attribute."""
        return {"returned": self.result(getattr(self.optimizer, name))}

    def call(self, event):
        """A method."""
        self.tape = None
        arguments = [self.argument(a) for a in event.get("arguments", ())]
        keywords = {name: self.argument(a) for name, a in event.get("keywords", {}).items()}
        with Warned() as warned:
            returned = getattr(self.optimizer, event["method"])(*arguments, **keywords)
        answer = {"returned": self.result(returned)}
        return dict(answer, warned=warned.found) if warned.found else answer

    def argument(self, given):
        """The Python object that a JSON argument stands for."""
        if isinstance(given, list):
            return [self.argument(x) for x in given]
        if not isinstance(given, dict):
            return given
        ((kind, value),) = given.items() if len(given) == 1 else (("", None),)
        if kind == "variable":
            return self.variables[value]
        if kind == "state":
            return self.tools.state_of(self.optimizer)[value]
        if kind == "tensor":
            return tf.constant(self.tools.array_of(value))
        if kind == "array":
            return self.tools.array_of(value)
        if kind == "config":
            return dict(value)
        if kind == "dtype":
            return tf.dtypes.as_dtype(value)
        if kind == "function":
            made = self.argument(value)
            return lambda: made
        if kind == "iterator":
            return iter(self.argument(value))
        if kind == "loss":
            return lambda: self.loss(value)
        if kind == "loss_on_tape":
            with tf.GradientTape() as self.tape:
                return self.loss(value)
        if kind == "tape":
            return self.tape if value == "of the loss" else tf.GradientTape()
        return self.tools.value_of(self.tools.made(given, self.edition))

    def loss(self, terms):
        """The sum of `square * w**2` and `linear * w` over the elements of each term's variable."""
        total = 0.0
        for term in terms:
            w = self.variables[term["of"]]
            w = w.value if self.edition == "keras3" else w
            for name, power in (("square", tf.square), ("linear", tf.identity)):
                if name in term:
                    factors = np.reshape(np.array(term[name], w.dtype.as_numpy_dtype), w.shape)
                    total += tf.reduce_sum(tf.constant(factors) * power(w))
        return total

    def result(self, value):
        """A returned object as JSON."""
        if isinstance(value, (list, tuple)):
            return [self.result(x) for x in value]
        if value is None or isinstance(value, (bool, int, float, str)):
            return value if not isinstance(value, np.generic) else self.tensor(value)
        for kind, known in (("state", self.tools.state_of(self.optimizer)), ("variable", self.variables)):
            for index, variable in enumerate(known):
                if same(value, variable):
                    return {kind: index}
        if isinstance(value, tf.IndexedSlices):
            return {"indices": [int(i) for i in value.indices.numpy()], "values": self.tensor(value.values)}
        if hasattr(value, "numpy") or isinstance(value, (np.ndarray, np.generic)):
            return self.tensor(value)
        if isinstance(value, dict):
            return {"dict": [[name, self.result(x)] for name, x in value.items()]}
        return {"type": type(value).__name__}

    def tensor(self, value):
        array = np.asarray(value.numpy() if hasattr(value, "numpy") else value)
        values = [self.tools.number(x) for x in array.ravel()]
        return {"dtype": array.dtype.name, "shape": list(array.shape), "values": values}


def same(value, variable):
    """Is it this variable, or TensorFlow's stand-in for it after an assignment?"""
    handles = [getattr(getattr(x, "value", x), "handle", getattr(x, "handle", None)) for x in (value, variable)]
    return value is variable or (handles[0] is not None and handles[0] is handles[1])


class Warned(logging.Handler):
    """What is logged as a warning, or warned of, in a `with` block."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.found = []
        self.loggers = [logging.getLogger(name) for name in ("absl", "tensorflow")]
        self.caught = warnings.catch_warnings(record=True)

    def emit(self, record):
        self.found.append({"category": "logged", "message": record.getMessage()[:300]})

    def __enter__(self):
        for logger in self.loggers:
            logger.addHandler(self)
        self.warnings = self.caught.__enter__()
        warnings.simplefilter("always")
        return self

    def __exit__(self, *raised):
        self.caught.__exit__(*raised)
        for logger in self.loggers:
            logger.removeHandler(self)
        self.found += [
            {"category": "UserWarning", "message": str(w.message)[:300]}
            for w in self.warnings
            if w.category is UserWarning
        ]
