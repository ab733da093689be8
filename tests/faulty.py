"""An adapter that goes wrong on purpose: python tests/faulty.py FAULT WHERE.

It answers cases of SGD rightly, but for those whose id contains WHERE.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

from goldenstep.conformance.keras_shaped import reference
from goldenstep.conformance.serve import answered, declared

FAULTS = {
    "hang": "timeout",
    "hang-in-a-line": "timeout",
    "abort": "crash",
    "exit": "crash",
    "exit-in-a-line": "crash",
    "exit-after": "crash",
    "rubbish": "protocol error",
    "huge-output": "protocol error",
    "bare-nan": "protocol error",
    "null": "protocol error",
    "no-object": "protocol error",
    "another-case": "protocol error",
    "another-request": "protocol error",
    "no-steps": "protocol error",
    "words-for-numbers": "protocol error",
    "nan": "diverges",
    "wrong-shape": "diverges",
    "a-slot-too-few": "diverges",
    "a-broken-count": "diverges",
    "failed": "error",
}
"""Every fault, and the verdict on a case that suffers it."""


def spoilt(fault: str, answer: dict[str, Any]) -> None:
    """Spoil the trajectory of an answer."""
    trajectory = answer["trajectory"]
    first = trajectory["steps"][0]
    if fault == "another-case":
        trajectory["id"] = "keras3/sgd/another"
    elif fault == "another-request":
        answer["seq"] -= 1
    elif fault == "no-steps":
        del trajectory["steps"]
    elif fault == "words-for-numbers":
        first["variables"][0][0] = "one"
    elif fault == "null":
        first["variables"][0][0] = None
    elif fault == "nan":
        first["variables"][0][0] = "NaN"
    elif fault == "wrong-shape":
        first["variables"][0].append(1.0)
    elif fault == "a-slot-too-few":
        first["state"].pop()
    elif fault == "a-broken-count":
        first["state"][0] = [1.5]
    elif fault == "failed":
        answer["failed"] = "the adapter does not know what a variable is"
        del answer["trajectory"]


def fail(fault: str, line: str) -> None:
    """Do what no adapter should, in place of an answer."""
    if fault == "hang":
        time.sleep(600)
    elif fault == "hang-in-a-line":
        print(line[:30], end="", flush=True)
        time.sleep(600)
    elif fault == "abort":
        print("about to abort", file=sys.stderr, flush=True)
        os.abort()
    elif fault == "exit":
        sys.exit(3)
    elif fault == "exit-in-a-line":
        print(line[:30], end="", flush=True)
        os._exit(0)
    elif fault == "rubbish":
        print("step 1: loss 0.25", flush=True)
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
    for text in sys.stdin:
        request = json.loads(text)
        if request["command"] == "stop":
            return
        if request["command"] == "start":
            print(json.dumps({**declared(implementation), "optimizers": ["SGD"]}), flush=True)
            continue
        answer = answered(implementation, request)
        if where in request["case"]["id"]:
            fail(fault, json.dumps(answer))
            spoilt(fault, answer)
        print(json.dumps(answer), flush=True)
        if fault == "exit-after" and where in request["case"]["id"]:
            return


if __name__ == "__main__":
    main(*sys.argv[1:])
