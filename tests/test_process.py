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
from goldenstep.conformance.answers import UnsupportedError
from goldenstep.conformance.implementations import UnknownImplementationError, load
from goldenstep.conformance.keras_shaped import reference
from goldenstep.conformance.process import ProcessImplementation
from goldenstep.conformance.verdict import Verdict, judge
from goldenstep.golden import files

from .faulty import EACH, FAULTS, ISOLATED, LATE, OBJECTS  # type: ignore[import-not-found]  # pytest finds it beside this file, mypy does not

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
    implementation.close()  # type: ignore[attr-defined]  # it is a process
    if fault in LATE:
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


@pytest.fixture
def faulty_objects(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(FAULTY.parent))


@pytest.mark.usefixtures("faulty_objects")
@pytest.mark.parametrize("fault", OBJECTS)
def test_a_fault_in_this_process_costs_its_case_and_no_other(fault: str) -> None:
    implementation, before = load(f"faulty:{fault}"), golden(AT)
    first, at, after = verdicts(implementation, BEFORE, AT, AFTER)
    assert at.verdict.value == OBJECTS[fault][0], at
    assert first.verdict is after.verdict is Verdict.EXACT
    assert golden(AT) == before


@pytest.mark.usefixtures("faulty_objects")
@pytest.mark.parametrize("fault", [*OBJECTS, *ISOLATED])
def test_isolated_a_fault_costs_its_case_and_no_other(fault: str) -> None:
    implementation = load(f"faulty:{fault}", isolate=True, timeout=3)
    first, at, after = verdicts(implementation, BEFORE, AT, AFTER)
    implementation.close()  # type: ignore[attr-defined]  # it is a process
    assert at.verdict.value == {fault: isolated for fault, (_, isolated) in OBJECTS.items()}.get(
        fault, ISOLATED.get(fault)
    ), at
    assert first.verdict is after.verdict is Verdict.EXACT


@pytest.mark.usefixtures("faulty_objects")
@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("scribbles", "run(case) wrote to the case: inputs are to be left as they are"),
        ("raises", "the adapter raised IndexError: list index out of range"),
        ("ends", "the adapter raised SystemExit: 0"),
        ("skips", "the adapter raised Skipped: no GPU here"),
        ("returns-nothing", f"expected the trajectory of {AT}, got None"),
        ("returns-arrays", "the trajectory is not JSON: Object of type ndarray is not JSON serializable"),
        ("bare-nan", "the trajectory is not JSON: Out of range float values are not JSON compliant"),
        ("no-steps", "trajectory: trajectory: 'steps' is a required property"),
        ("supports-true", "supports(case) returned True: expected None if it can be run, otherwise why not"),
        ("supports-raises", "the adapter raised KeyError: 'class_name'"),
    ],
)
def test_what_an_adapter_in_this_process_does_wrong_is_said(fault: str, reason: str) -> None:
    assert verdicts(load(f"faulty:{fault}"), AT)[0].reason.startswith(reason)


def test_a_process_that_is_another_one_when_it_starts_anew_is_not_asked(tmp_path: Path) -> None:
    script = tmp_path / "moody.py"
    script.write_text(
        "import pathlib, sys\n"
        f"mark = pathlib.Path({str(tmp_path / 'mark')!r})\n"
        "edition = 'tf2.15' if mark.exists() else 'keras3'\n"
        "mark.touch()\n"
        "sys.stdin.readline()\n"
        'print(\'{"protocol": 1, "name": "moody", "version": "", "editions": ["%s"]}\' % edition, flush=True)\n'
    )
    records = verdicts(load(command(script)), BEFORE, AT, AFTER)
    assert [record.verdict for record in records] == [Verdict.CRASH, Verdict.PROTOCOL, Verdict.PROTOCOL]
    assert records[1].reason == "started anew, it declares another editions than at first"


def test_a_flood_of_errors_is_read_and_forgotten(tmp_path: Path) -> None:
    script = tmp_path / "loud.py"
    script.write_text("import sys\nsys.stderr.write('a warning\\n' * 1_000_000)\nsys.exit('the last word')\n")
    with pytest.raises(UnknownImplementationError, match="the last word") as caught:
        load(command(script))
    assert len(str(caught.value)) < 2000


@pytest.mark.parametrize("workers", [[], ["-n", "2"]])
def test_all_faults_in_one_run_end_it_as_any_other(workers: list[str], tmp_path: Path) -> None:
    plain = sorted(i for i in INDEX if i.startswith("keras3/sgd/") and golden(i)["case"]["features"] == ["dense"])
    places, report = plain[: len(EACH)], tmp_path / "report.json"
    suite = [sys.executable, "-m", "pytest", "--pyargs", "goldenstep.conformance", "-q", "-p", "no:cacheprovider"]
    asked = [f"--impl={command(FAULTY, 'each', ','.join(places))}", "--timeout=2", f"--report={report}"]
    cases = [f"--case={identity}" for identity in places]
    result = subprocess.run([*suite, *asked, *cases, *workers], cwd=tmp_path, capture_output=True, text=True)
    assert result.returncode == 1, result.stdout
    written = json.loads(report.read_text())
    found = {record["id"]: record["verdict"] for record in written["records"]}
    assert found == {place: FAULTS[fault] for place, fault in zip(places, EACH, strict=True)}
    assert "footer" in written


def test_a_part_of_the_state_is_compared_if_it_is_declared(tmp_path: Path) -> None:
    """The same through a process, with and without a wrong slot, and what is declared may not be left out."""
    script = tmp_path / "part.py"
    text = FAULTY.read_text().replace('"optimizers": ["SGD"]', '"optimizers": ["SGD"], "exposes": {"SGD": EXPOSED}')
    cut = (
        "trajectory = answer['trajectory']\n"
        "        keep = [i for i, entry in enumerate(trajectory['layout']) if 'momentum' in entry['name']]\n"
        "        trajectory['layout'] = [trajectory['layout'][i] for i in keep]\n"
        "        for step in trajectory['steps']:\n"
        "            step['state'] = [step['state'][i] for i in keep]\n"
        "        print(json.dumps(answer), flush=True)"
    )
    text = text.replace("print(json.dumps(answer), flush=True)", cut, 1)
    momentum = "keras3/sgd/momentum=0.9"
    for exposed, fault, verdict in (
        (["m"], "none", Verdict.EXACT),
        (["m"], "stale-state", Verdict.DIVERGES),
        (["m", "iteration"], "none", Verdict.DIVERGES),
        ([], "none", Verdict.DIVERGES),
    ):
        script.write_text(text.replace("EXPOSED", repr(exposed)))
        (record,) = verdicts(load(command(script, fault, momentum)), momentum)
        assert record.verdict is verdict, (exposed, fault, record.reason)
        assert record.compared == ("part of the state" if exposed else "weights only")
    script.write_text(text.replace("EXPOSED", "['speed']"))
    with pytest.raises(UnknownImplementationError, match="SGD has no slot 'speed'; there are "):
        load(command(script, "none", momentum))


class Halting:
    """Wrong, and not able to begin at a given state, which is no excuse."""

    name, editions = "halting", ("keras3",)

    def supports(self, case: Document) -> str | None:
        return None

    def run(self, case: Document) -> Document:
        if any("load" in event for event in case["events"]):
            raise UnsupportedError("no load")
        got = reference().run(case)
        got["steps"][-1]["variables"][0][0] = 7.0
        return got


@pytest.mark.parametrize("tolerance", [None, 4])
@pytest.mark.parametrize("identity", ["keras3/adam/defaults-float32", "tf2.12/rmsprop/defaults-float32"])
def test_who_is_wrong_and_cannot_be_looked_at_step_by_step_diverges(identity: str, tolerance: int | None) -> None:
    recorded = golden(identity)
    record = judge(Halting(), recorded["case"], recorded["trajectory"], "either", tolerance)  # type: ignore[arg-type]
    assert record.verdict is Verdict.DIVERGES
    assert tolerance is None or record.reason.endswith("not judged step by step, which it does not support: no load")


def test_a_run_that_judges_nothing_is_not_well(tmp_path: Path) -> None:
    suite = [sys.executable, "-m", "pytest", "--pyargs", "goldenstep.conformance", "-q", "-p", "no:cacheprovider"]
    asked = [f"--impl={command(FAULTY, 'none', 'nowhere')}", "--case=keras3/adam/defaults-float32"]
    result = subprocess.run([*suite, *asked], cwd=tmp_path, capture_output=True, text=True)
    assert result.returncode == pytest.ExitCode.NO_TESTS_COLLECTED
    assert "nothing was judged: every selected case is unsupported" in result.stdout
