"""An adapter for Goldenstep: an object that turns a case into a trajectory.

    goldenstep adapter check adapter:implementation
    goldenstep check --impl=adapter:implementation

Put your optimizers in place of SGD. A module shaped like Keras needs no adapter: --impl=mypkg.
"""

import numpy as np

from goldenstep.conformance.answers import UnsupportedError
from goldenstep.golden.codec import array, flat, gradient, unflat
from goldenstep.golden.compare import full_config, unrolled


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

    def load(self, step, variables):
        """Go on from a recorded step: where rounding differs, each step is judged by itself."""
        for w, values in zip(variables, step["variables"]):
            w[...] = unflat(values, w.dtype.name, w.shape)
        self.iteration = np.int64(step["state"][0][0])  # the state comes as Keras has it: iteration, learning_rate ...


class Adapter:
    """What the judge asks: does it support a case, and what does it compute?"""

    name, version, editions = "mypkg", "0.1", ["keras3"]
    # exposes = {"SGD": []}  # if your library has not all of the state: the slots that it has
    # tolerance = "port"  # if your library rounds elsewhere: differences of a few roundings are `close`, and pass

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
        optimizer = SGD(full_config(case)["learning_rate"])  # what a case leaves out has the default of Keras
        variables = [array(v["value"]) for v in case["variables"]]
        layout, steps, count = [], [], 0
        for event in unrolled(case["events"]):
            if "load" in event:
                optimizer.load(event["load"], variables)
                count = event["load"]["step"]
                continue
            if set(event) != {"apply"}:
                raise UnsupportedError(f"no {', '.join(event)}")
            gradients = [gradient(g, v) for g, v in zip(event["apply"], variables)]
            optimizer.apply(gradients, variables)
            count += 1
            if count in case.get("keep", [count]):
                state = {name: np.asarray(value) for name, value in optimizer.state().items()}
                layout = [{"name": n, "dtype": v.dtype.name, "shape": list(v.shape)} for n, v in state.items()]
                values = [flat(v) for v in variables], [flat(v) for v in state.values()]
                steps.append({"step": count, "variables": values[0], "state": values[1]})
        return {"id": case["id"], "layout": layout, "steps": steps}


def implementation():
    """What --impl=adapter:implementation calls."""
    return Adapter()
