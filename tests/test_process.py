"""Implementations in a process of their own: faults are verdicts, never the end of the run, and never pass."""

from __future__ import annotations

import copy
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from goldenstep import spec
from goldenstep.conformance import process
from goldenstep.conformance.implementations import UnknownImplementationError, load
from goldenstep.conformance.keras_shaped import reference
from goldenstep.conformance.process import ProcessImplementation
from goldenstep.conformance.verdict import Verdict, judge
from goldenstep.golden import files

from .faulty import FAULTS  # type: ignore[import-not-found]  # pytest finds it beside this file, mypy does not

Document = dict[str, Any]
FAULTY = Path(__file__).parent / "faulty.py"
BEFORE, AT, AFTER = "keras3/sgd/defaults-float32", "keras3/sgd/nesterov", "keras3/sgd/shape-scalar"
INDEX = files.index()


def golden(identity: str) -> Document:
    return copy.deepcopy(files.parsed(*INDEX[identity]))


def command(*words: object) -> str:
    return "cmd: " + " ".join(f"'{word}'" for word in (sys.executable, *words))


def verdicts(implementation: Any, *identities: str) -> list[Any]:
    goldens = map(golden, identities)
    return [judge(implementation, g["case"], g["trajectory"]) for g in goldens]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_costs_its_case_and_no_other(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "LONGEST_LINE", 2**22)
    implementation = load(command(FAULTY, fault, AT), timeout=3)
    before, at, after = verdicts(implementation, BEFORE, AT, AFTER)
    implementation.close()  # type: ignore[attr-defined]
    if fault == "exit-after":
        at, after = after, at
    assert at.verdict.value == FAULTS[fault], at
    assert at.reason
    assert before.verdict is after.verdict is Verdict.EXACT


def test_the_last_words_of_a_crash_are_shown() -> None:
    implementation = load(command(FAULTY, "abort", AT))
    (record,) = verdicts(implementation, AT)
    assert record.reason == "the process ended without an answer, by SIGABRT"
    assert "about to abort" in record.detail


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("hang-in-a-line", "no answer in 1 s, after 30 bytes of a line without its end"),
        ("rubbish", "expected one line of JSON, got 'step 1: loss 0.25' (Expecting value"),
        ("bare-nan", 'JSON has no NaN: write "NaN", in quotes'),
        ("null", 'a NaN is written "NaN", in quotes'),
        ("another-case", f"expected the trajectory of {AT}, got that of keras3/sgd/another"),
        ("another-request", "expected the answer to request 1, got the one to 0"),
        ("no-steps", "'steps' is a required property"),
        ("wrong-shape", "expected 10 values (shape [2, 5]), got 11 values"),
        ("failed", "the adapter failed: the adapter does not know what a variable is"),
    ],
)
def test_a_reason_says_what_was_expected(fault: str, reason: str) -> None:
    implementation = load(command(FAULTY, fault, AT), timeout=1)
    assert reason in verdicts(implementation, AT)[0].reason


def test_a_process_that_does_not_start_again_is_not_waited_for(tmp_path: Path) -> None:
    script = tmp_path / "once.py"
    script.write_text(
        "import pathlib, sys\n"
        f"mark = pathlib.Path({str(tmp_path / 'mark')!r})\n"
        "if mark.exists(): sys.exit('no second time')\n"
        "mark.touch()\n"
        "sys.stdin.readline()\n"
        'print(\'{"protocol": 1, "name": "once", "version": "", "editions": ["keras3"]}\', flush=True)\n'
    )
    implementation = load(command(script))
    records = verdicts(implementation, *[BEFORE] * 6)
    assert {record.verdict for record in records} == {Verdict.CRASH}
    assert records[1].reason.endswith("exit status 1")
    assert records[-1].reason.startswith("not run: the last 3 starts of ")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("-c", "print(1)"), "expected a JSON object, got '1'"),
        (("-c", ""), "ended without an answer, exit status 0"),
        (("-c", "import sys; sys.exit('no GPU here')"), "no GPU here"),
        (("-c", 'print("{}")'), "'protocol' is a required property"),
    ],
)
def test_an_adapter_that_does_not_say_what_it_is_is_wrong_use(words: tuple[str, ...], message: str) -> None:
    with pytest.raises(UnknownImplementationError, match=message):
        load("cmd: " + " ".join(f"'{word}'" for word in (sys.executable, *words)))


def test_a_command_that_is_not_there_is_wrong_use() -> None:
    with pytest.raises(UnknownImplementationError, match="No such file"):
        load("cmd: /nowhere/adapter")


def test_a_timeout_needs_a_process() -> None:
    with pytest.raises(UnknownImplementationError, match="Add --isolate"):
        load("reference", timeout=1)


def test_what_is_declared_and_what_is_answered_is_unsupported() -> None:
    implementation = load(command(FAULTY, "none", "nowhere"))
    declared, answered = "keras3/adam/defaults-float32", "keras3/sgd/defaults-float32"
    assert verdicts(implementation, declared)[0].reason == "no Adam"
    served = load("goldenstep.reference.editions.keras3", isolate=True)
    assert isinstance(served, ProcessImplementation)
    served.declared["editions"] = served.editions = ["keras3", "tf2.4"]
    assert verdicts(served, answered.replace("keras3", "tf2.4"))[0].reason == "edition tf2.4 is not claimed"


def test_isolated_or_not_the_verdicts_are_the_same() -> None:
    some = [identity for identity in INDEX if identity.startswith(("keras3/sgd/", "keras3/schedules/"))][::25]
    assert any("schedules/" in identity for identity in some)
    assert verdicts(load("reference", isolate=True), *some) == verdicts(reference(), *some)


def test_every_line_that_is_said_satisfies_its_schema() -> None:
    implementation = reference()
    lines = [{"command": "start", "protocol": 1}, {"command": "run", "seq": 1, "case": golden(BEFORE)["case"]}]
    for request in [*lines, {"command": "stop"}]:
        spec.validate(request, "protocol_request", "request")
    script = [sys.executable, "-m", "goldenstep.conformance.serve", "reference"]
    text = "\n".join(map(json.dumps, [*lines, {"command": "stop"}]))
    result = subprocess.run(script, input=text, capture_output=True, text=True, check=True)
    started, answer = map(json.loads, result.stdout.splitlines())
    spec.validate(started, "protocol_started", "started")
    spec.validate(answer, "protocol_answer", "answer")
    assert answer["trajectory"] == implementation.run(golden(BEFORE)["case"])


def test_the_example_in_the_documentation_is_real() -> None:
    page = (Path(__file__).parent.parent / "docs" / "protocol.md").read_text()
    case, trajectory = (json.loads(block) for block in re.findall(r"```json\n(.*?)```", page, re.DOTALL))
    spec.validate(case, "case", "docs/protocol.md")
    assert reference().run(case) == trajectory


PACKAGE = """
import os
import numpy as np
from goldenstep.reference import Variable
from goldenstep.reference.editions import keras3
GOLDENSTEP_EDITIONS = ["keras3"]
clear_session = keras3.clear_session
print("loading", flush=True)

class SGD(keras3.SGD):
    def __init__(self, nesterov=False, **config):
        print("making", flush=True)
        if nesterov:
            os.abort()
        super().__init__(**config)
"""


@pytest.mark.parametrize("workers", [[], ["-n", "2"]])
def test_a_segfault_is_one_failed_case(workers: list[str], tmp_path: Path) -> None:
    (tmp_path / "mypkg.py").write_text(PACKAGE)
    suite = [sys.executable, "-m", "pytest", "--pyargs", "goldenstep.conformance", "-q", "-p", "no:cacheprovider"]
    cases = [f"--case={identity}" for identity in (BEFORE, AT, AFTER)]
    result = subprocess.run(
        [*suite, "--impl=mypkg", "--isolate", *cases, *workers], cwd=tmp_path, capture_output=True, text=True
    )
    assert result.returncode == 1
    assert "1 failed, 2 passed" in result.stdout
    assert "keras3/sgd/nesterov: crash" in result.stdout
    assert "--impl=mypkg --isolate --case='keras3/sgd/nesterov'" in result.stdout


class Scribbler:
    """An implementation that changes its input, or raises."""

    name, editions = "scribbler", ("keras3",)

    def __init__(self, fault: str) -> None:
        self.fault, self.inner = fault, reference()

    def supports(self, case: Document) -> str | None:
        return None

    def run(self, case: Document) -> Document:
        got = self.inner.run(case)
        if self.fault == "raises":
            raise IndexError("list index out of range")
        if self.fault == "ends":
            raise SystemExit(0)
        case["events"].pop()
        return got


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("scribbles", "run(case) wrote to the case: inputs are to be left as they are"),
        ("raises", "the adapter raised IndexError: list index out of range"),
        ("ends", "the adapter raised SystemExit: 0"),
    ],
)
def test_what_an_adapter_in_this_process_does_wrong_is_an_error(fault: str, reason: str) -> None:
    recorded = golden(BEFORE)
    record = judge(Scribbler(fault), recorded["case"], recorded["trajectory"])  # type: ignore[arg-type]
    assert (record.verdict, record.reason) == (Verdict.ERROR, reason)
    assert recorded == golden(BEFORE)
