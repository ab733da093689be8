"""Adapters that go wrong on purpose.

python tests/faulty.py FAULT WHERE     a process that speaks the protocol
faulty:FAULT                           an object in Python; `--isolate` puts it into a process of its own

They answer cases of SGD rightly, but for those whose id contains WHERE ("nesterov" for the objects).  With the fault
`each` a process suffers all of them in turn, another one at each id that stands in WHERE.
"""

from __future__ import annotations

import copy
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from goldenstep.conformance.keras_shaped import reference
from goldenstep.conformance.serve import answered, declared

Document = dict[str, Any]

FAULTS = {
    "hang": "timeout",
    "hang-in-a-line": "timeout",
    "drip": "timeout",
    "abort": "crash",
    "segfault": "crash",
    "exit": "crash",
    "exit-in-a-line": "crash",
    "exit-after": "crash",
    "close-output": "crash",
    "rubbish": "protocol error",
    "flood": "protocol error",
    "huge-output": "protocol error",
    "answer-twice": "protocol error",
    "bare-nan": "protocol error",
    "null": "protocol error",
    "no-object": "protocol error",
    "another-case": "protocol error",
    "another-request": "protocol error",
    "no-steps": "protocol error",
    "words-for-numbers": "protocol error",
    "nan": "diverges",
    "wrong-shape": "diverges",
    "wrong-dtype": "diverges",
    "a-slot-too-few": "diverges",
    "a-broken-count": "diverges",
    "a-step-too-few": "diverges",
    "stale-state": "diverges",
    "stale-weights": "diverges",
    "failed": "error",
}
"""Every fault of a process, and the verdict on a case that suffers it."""

LATE = ("exit-after", "answer-twice")
"""Faults that come after a right answer: they cost the next case."""

EACH = [fault for fault in FAULTS if fault not in (*LATE, "huge-output")]
"""The faults of `each`: those that cost their own case, and in little time."""

OBJECTS = {
    "raises": ("error", "error"),
    "ends": ("error", "error"),
    "skips": ("error", "error"),
    "scribbles": ("error", "error"),
    "returns-nothing": ("error", "error"),
    "returns-words": ("error", "error"),
    "returns-arrays": ("error", "error"),
    "bare-nan": ("error", "error"),
    "another-case": ("error", "error"),
    "supports-true": ("error", "error"),
    "supports-raises": ("error", "error"),
    "no-steps": ("error", "protocol error"),
    "words-for-numbers": ("error", "protocol error"),
    "nan": ("diverges", "diverges"),
    "wrong-shape": ("diverges", "diverges"),
    "wrong-dtype": ("diverges", "diverges"),
    "stale-state": ("diverges", "diverges"),
    "one-list-for-all-steps": ("diverges", "diverges"),
    "the-case-before": ("diverges", "diverges"),
    "prints": ("exact", "exact"),
}
"""Every fault of an object, and the verdict on a case that suffers it: in the judge's process, and isolated."""

ISOLATED = {"hang": "timeout", "segfault": "crash", "exit": "crash"}
"""Faults that only a process of its own can survive."""


# ---- what both do to a trajectory ---------------------------------------------------------------------------


def spoilt(fault: str, trajectory: Document) -> None:
    """Spoil a trajectory, in place."""
    first = trajectory["steps"][0]
    if fault == "another-case":
        trajectory["id"] = "keras3/sgd/another"
    elif fault == "no-steps":
        del trajectory["steps"]
    elif fault == "words-for-numbers":
        first["variables"][0][0] = "one"
    elif fault == "nan":
        first["variables"][0][0] = "NaN"
    elif fault == "wrong-shape":
        first["variables"][0].append(1.0)
    elif fault == "wrong-dtype":
        trajectory["layout"][-1]["dtype"] = "float64"
    elif fault == "stale-state":
        late("state", trajectory)
    elif fault == "stale-weights":
        late("variables", trajectory)


def late(part: str, trajectory: Document) -> None:
    """What belongs to a step is shown one step later."""
    values = [step[part] for step in trajectory["steps"]]
    for step, shown in zip(trajectory["steps"][1:], values, strict=False):
        step[part] = shown


# ---- processes ------------------------------------------------------------------------------------------------


def spoilt_answer(fault: str, answer: Document) -> None:
    """Spoil an answer, or the trajectory in it."""
    trajectory = answer["trajectory"]
    first = trajectory["steps"][0]
    if fault == "another-request":
        answer["seq"] -= 1
    elif fault == "null":
        first["variables"][0][0] = None
    elif fault == "a-slot-too-few":
        first["state"].pop()
    elif fault == "a-broken-count":
        first["state"][0] = [1.5]
    elif fault == "a-step-too-few":
        trajectory["steps"].pop()
    elif fault == "failed":
        answer["failed"] = "the adapter does not know what a variable is"
        del answer["trajectory"]
    else:
        spoilt(fault, trajectory)


def fail(fault: str, line: str) -> None:
    """Do what no adapter should, in place of an answer."""
    if fault == "hang":
        time.sleep(600)
    elif fault == "hang-in-a-line":
        print(line[:30], end="", flush=True)
        time.sleep(600)
    elif fault == "drip":
        for character in line:
            print(character, end="", flush=True)
            time.sleep(0.2)
    elif fault == "abort":
        print("about to abort", file=sys.stderr, flush=True)
        os.abort()
    elif fault == "segfault":
        os.kill(os.getpid(), signal.SIGSEGV)
    elif fault == "exit":
        sys.exit(3)
    elif fault == "exit-in-a-line":
        print(line[:30], end="", flush=True)
        os._exit(0)
    elif fault == "close-output":
        os.close(1)
        time.sleep(600)
    elif fault == "rubbish":
        print("step 1: loss 0.25", flush=True)
    elif fault == "flood":
        print("step 1: loss 0.25\n" * 100_000, flush=True)
    elif fault == "huge-output":
        while True:
            sys.stdout.write("9" * 2**20)
    elif fault == "bare-nan":
        print(line.replace("[", "[NaN, ", 1), flush=True)
    elif fault == "no-object":
        print("[1, 2, 3]", flush=True)


def main(fault: str, where: str) -> None:
    """Speak the protocol, with the fault in every case whose id contains `where`."""
    implementation = reference()
    implementation.name = f"faulty-{fault}"
    places = where.split(",")
    for text in sys.stdin:
        request = json.loads(text)
        if request["command"] == "stop":
            return
        if request["command"] == "start":
            print(json.dumps({**declared(implementation), "optimizers": ["SGD"]}), flush=True)
            continue
        answer, identity = answered(implementation, request), request["case"]["id"]
        now = fault if where in identity else ""
        if fault == "each" and identity in places:
            now = EACH[places.index(identity)]
        if now:
            fail(now, json.dumps(answer))
            spoilt_answer(now, answer)
        print(json.dumps(answer), flush=True)
        if now == "answer-twice":
            print(json.dumps(answer), flush=True)
        if now == "exit-after":
            return


# ---- objects --------------------------------------------------------------------------------------------------


class Faulty:
    """An implementation with a fault in the cases of `nesterov`."""

    editions = ("keras3",)

    def __init__(self, fault: str) -> None:
        self.name, self.fault, self.inner = f"faulty-{fault}", fault, reference()
        self.before: Document = {}

    def supports(self, case: Document) -> Any:
        """None, or what is wrong."""
        if "nesterov" in case["id"] and self.fault == "supports-raises":
            raise KeyError("class_name")
        return "nesterov" in case["id"] or None if self.fault == "supports-true" else None

    def run(self, case: Document) -> Any:
        """The trajectory of a case, or what is wrong."""
        if "nesterov" not in case["id"]:
            self.before = self.inner.run(case)
            return copy.deepcopy(self.before)
        self.misbehave()
        got = self.inner.run(case)
        if self.fault == "scribbles":
            case["events"].pop()
        elif self.fault == "returns-nothing":
            return None
        elif self.fault == "returns-words":
            return "done"
        elif self.fault == "returns-arrays":
            got["steps"][0]["variables"] = [np.array(values) for values in got["steps"][0]["variables"]]
        elif self.fault == "bare-nan":
            got["steps"][0]["variables"][0][0] = float("nan")
        elif self.fault == "one-list-for-all-steps":
            for step in got["steps"]:
                step["variables"] = got["steps"][-1]["variables"]
        elif self.fault == "the-case-before":
            return {**self.before, "id": case["id"]}
        spoilt(self.fault, got)
        return got

    def misbehave(self) -> None:
        """What an answer does not survive."""
        if self.fault == "raises":
            raise IndexError("list index out of range")
        if self.fault == "ends":
            sys.exit(0)
        if self.fault == "skips":
            import pytest

            pytest.skip("no GPU here")
        if self.fault == "prints":
            os.write(1, b'{"seq": 1, "unsupported": "written past Python"}\n')
            print("step 1: loss 0.25")
        if self.fault == "hang":
            time.sleep(600)
        if self.fault == "segfault":
            os.kill(os.getpid(), signal.SIGSEGV)
        if self.fault == "exit":
            os._exit(0)


def __getattr__(fault: str) -> Callable[[], Faulty]:
    if fault not in OBJECTS and fault not in ISOLATED:
        raise AttributeError(fault)
    return lambda: Faulty(fault)


if __name__ == "__main__":
    main(*sys.argv[1:])
