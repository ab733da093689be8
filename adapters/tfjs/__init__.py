"""TensorFlow.js on its CPU backend, in a node process that speaks the protocol: adapter.mjs beside this file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from goldenstep.conformance.process import ProcessImplementation
from goldenstep.golden.compare import expected_layout, full_config

from ..port import Document, Port, Training


class Tfjs(Port):
    """A port whose optimizers live in a child process."""

    def __init__(self) -> None:
        command = ["node", str(Path(__file__).with_name("adapter.mjs"))]
        self._process = ProcessImplementation(command, "--impl=tfjs")
        super().__init__("tfjs", self._process.version, in_the_child)

    def run(self, case: Document) -> Document:
        """The trajectory of a case; what the child calls `0/m` has the edition's name for slot m of variable 0."""
        names = {f"{entry.owner}/{entry.slot}": entry.name for entry in expected_layout(case)}
        order = list(names)
        answer = self._process.run(
            {
                **case,
                "optimizer": {**case["optimizer"], "config": self.config(case)},
                "slots": self.slots(case),
                "events": [self.translated(event, case) for event in case["events"]],
            }
        )
        layout = answer["layout"]
        for step in answer["steps"]:
            layout = step.pop("layout", layout)
            pairs = sorted(zip(layout, step["state"], strict=True), key=lambda pair: order.index(pair[0]["name"]))
            step["layout"] = [{**entry, "name": names[entry["name"]]} for entry, _ in pairs]
            step["state"] = [values for _, values in pairs]
        answer["layout"] = answer["steps"][0]["layout"] if answer["steps"] else []
        return answer

    def slots(self, case: Document) -> Document:
        """By slot of the edition: the child's entry."""
        present = {entry.slot for entry in expected_layout(case)}
        return {slot: entry for slot, entry in self.optimizer(case)["state"].items() if slot in present}

    def config(self, case: Document) -> Document:
        """Keras' arguments with their defaults, without those that stay as tfjs has them."""
        left = self.optimizer(case).get("own_default", ())
        given = case["optimizer"]["config"]
        return {name: value for name, value in full_config(case).items() if name in given or name not in left}

    def translated(self, event: Document, case: Document) -> Document:
        """The event; of a state that is loaded, what the child can use."""
        if "load" not in event:
            return event
        step, document = event["load"], self.optimizer(case)
        kinds = {e.kind: values[0] for e, values in zip(expected_layout(case), step["state"], strict=False) if values}
        factors = {"1": 1.0, "-1/learning_rate": -1 / kinds["learning_rate"]}

        def slots() -> Iterator[tuple[str, int, list[Any]]]:
            for entry, values in zip(expected_layout(case), step["state"], strict=False):  # at first there are no slots
                if entry.owner is not None and entry.slot in document["state"]:
                    yield document["state"][entry.slot], entry.owner, values
                elif entry.owner is not None and entry.slot in document.get("restored", {}):
                    restored = document["restored"][entry.slot]
                    factor = factors[restored["times"]]
                    numbers = [x if isinstance(x, str) else x * factor for x in values]
                    yield restored["entry"], entry.owner, numbers

        changes = any("set" in e.get("attempt", e) for e in case["events"])
        rate = {"learning_rate": kinds["learning_rate"]} if changes else {}
        given = {"step": step["step"], "iteration": kinds["iteration"], "variables": step["variables"]}
        return {"load": {**given, "slots": list(slots()), **rate}}


def in_the_child(*_: Any) -> Training:
    """Nothing of it is here."""
    raise NotImplementedError("a case of tfjs is run by its child process")


def adapter() -> Port:
    """The tfjs that node finds: beside it, or where NODE_PATH says."""
    return Tfjs()
