"""An adapter for Goldenstep: an object that turns a case into a trajectory.

    goldenstep adapter check adapter:implementation
    goldenstep check --impl=adapter:implementation

Put your optimizers in place of SGD. A module shaped like Keras needs no adapter: --impl=mypkg.
"""

import numpy as np

from goldenstep.conformance.answers import UnsupportedError
from goldenstep.golden.codec import array, flat, gradient
from goldenstep.golden.compare import unrolled


class SGD:
    """Your library."""

    def __init__(self, learning_rate=0.01):
        self.learning_rate = np.float32(learning_rate)
        self.iteration = np.int64(0)

    def apply(self, gradients, variables):
        for g, w in zip(gradients, variables):
            w -= self.learning_rate * g
        self.iteration += 1

    def state(self):
        """Everything that it remembers, in the order and with the names of Keras: goldenstep explain SGD."""
        return {"sgd/iteration": self.iteration, "sgd/learning_rate": self.learning_rate}


class Adapter:
    """What the judge asks: does it support a case, and what does it compute?"""

    name, version, editions = "mypkg", "0.1", ["keras3"]
    # exposes = {"SGD": []}  # if your library has not all of the state: the slots that it has

    def supports(self, case):
        """None if the case can be run, otherwise why not."""
        if case["edition"] not in self.editions:
            return f"edition {case['edition']} is not claimed"
        if "optimizer" not in case or case["optimizer"]["class_name"] != "SGD":
            return "only SGD"
        missing = set(case["features"]) - {"dense"}
        return f"no {', '.join(sorted(missing))}" if missing else None

    def run(self, case):
        """The trajectory of a case: the variables and the whole state after every step."""
        unknown = set(case["optimizer"]["config"]) - {"learning_rate"}
        if unknown:
            raise UnsupportedError(f"no {', '.join(sorted(unknown))}")
        if any(v["value"]["dtype"] != "float32" for v in case["variables"]):
            raise UnsupportedError("only float32")
        optimizer = SGD(**case["optimizer"]["config"])
        variables = [array(v["value"]) for v in case["variables"]]
        layout, steps = [], []
        for count, event in enumerate(unrolled(case["events"]), 1):
            if set(event) != {"apply"}:
                raise UnsupportedError(f"no {', '.join(event)}")
            gradients = [gradient(g, v) for g, v in zip(event["apply"], variables)]
            optimizer.apply(gradients, variables)
            if count in case.get("keep", [count]):
                state = {name: np.asarray(value) for name, value in optimizer.state().items()}
                layout = [{"name": n, "dtype": v.dtype.name, "shape": list(v.shape)} for n, v in state.items()]
                values = [flat(v) for v in variables], [flat(v) for v in state.values()]
                steps.append({"step": count, "variables": values[0], "state": values[1]})
        return {"id": case["id"], "layout": layout, "steps": steps}


def implementation():
    """What --impl=adapter:implementation calls."""
    return Adapter()
