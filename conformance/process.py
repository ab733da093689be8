"""An implementation in a process of its own, in any language: JSON lines over standard input and output.

The protocol is told in docs/protocol.md; its schemas are protocol_request, protocol_started and protocol_answer.
A child that crashes, hangs or answers nonsense costs the case that it was at, and is started anew for the next one.
"""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from typing import IO, Any

from goldenstep import spec

from .answers import CrashError, NoAnswerError, ProtocolError, TimeoutExceededError, UnsupportedError
from .exposure import unknown

Document = dict[str, Any]
PROTOCOL = 1
RUN_SECONDS, START_SECONDS, STOP_SECONDS = 60.0, 180.0, 5.0
LONGEST_LINE = 64 * 2**20
VAIN_STARTS = 3
SHOWN = 120
LAST_WORDS = 4000
TRAJECTORIES = {"schedule": "schedule_trajectory", "file": "file_answer", "calls": "results"}
ANSWERS = ("trajectory", "unsupported", "failed")


class ProcessImplementation:
    """An implementation (it has `supports` and `run`) that a child process is; started when it is needed.

    `command` is the child's command line, `asked` the options that name it to the judge, `timeout` the seconds that
    it may take over a case; starting may take three minutes, or `timeout` if that is more.
    """

    def __init__(
        self,
        command: Sequence[str],
        asked: str,
        timeout: float | None = None,
        environment: dict[str, str] | None = None,
    ) -> None:
        self.command = list(command)
        self.asked = asked
        self.timeout = RUN_SECONDS if timeout is None else timeout
        self._environment = {**os.environ, **(environment or {})}
        self._child: Child | None = None
        self._vain = 0
        self._seq = 0
        self.declared: Document = {}
        self.declared = self._start().declared
        self.name: str = self.declared["name"]
        self.version: str = self.declared["version"]
        self.editions: list[str] = self.declared["editions"]
        self.exposes: dict[str, list[str]] = self.declared.get("exposes", {})
        self.tolerance: str = self.declared.get("tolerance", "exact")
        self.known_failures: str | None = self.declared.get("known_failures")
        self.code: Document | None = self.declared.get("code")

    def supports(self, case: Document) -> str | None:
        """None if the case is among what the child declares, otherwise why not; `run` may say more."""
        if case["edition"] not in self.editions:
            return f"edition {case['edition']} is not claimed"
        named: Document = case.get("optimizer") or case.get("trained") or {}
        name = named.get("class_name")
        if name and "optimizers" in self.declared and name not in self.declared["optimizers"]:
            return f"no {name}"
        features = self.declared["features"] if "features" in self.declared else case["features"]
        missing = [feature for feature in case["features"] if feature not in features]
        return f"feature {', '.join(missing)} is not declared" if missing else None

    def run(self, case: Document) -> Document:
        """The trajectory of a case; NoAnswerError, of the verdict's kind, if the child gives none."""
        self._seq += 1
        child = self._start()
        try:
            answer = child.ask({"command": "run", "seq": self._seq, "case": case}, self.timeout)
            return trajectory_of(answer, self._seq, case)
        except UnsupportedError:
            raise
        except NoAnswerError as error:
            error.detail = error.detail or child.last_words()
            if error.kind != "error":
                self._kill()
            raise

    def close(self) -> None:
        """Ask the child to stop, and see that it does."""
        child, self._child = self._child, None
        if child:
            child.stop()

    def _start(self) -> Child:
        if self._child is None:
            if self._vain >= VAIN_STARTS:
                raise CrashError(f"not run: the last {VAIN_STARTS} starts of {self.command[0]} failed")
            self._vain += 1
            child = Child(self.command, self._environment, max(START_SECONDS, self.timeout))
            if self.declared and child.declared != self.declared:
                child.kill()
                before, now = self.declared, child.declared
                changed = sorted(key for key in {*before, *now} if before.get(key) != now.get(key))
                raise ProtocolError(f"started anew, it declares another {', '.join(changed)} than at first")
            self._child, self._vain = child, 0
        return self._child

    def _kill(self) -> None:
        child, self._child = self._child, None
        if child:
            child.kill()


class Child:
    """A running process that has said what it is: `declared`. CrashError and its kin if it doesn't."""

    def __init__(self, command: Sequence[str], environment: dict[str, str], seconds: float) -> None:
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environment,
                start_new_session=True,
            )
        except OSError as error:
            raise CrashError(f"can't be started: {shlex.join(command)}: {error.strerror}") from error
        self._errors = b""
        self.declared: Document = {}
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        try:
            self.declared = started(self.ask({"command": "start", "protocol": PROTOCOL}, seconds))
        except NoAnswerError as error:
            error.detail = self.last_words()
            self.kill()
            raise

    def ask(self, request: Document, seconds: float) -> Document:
        """The answer to a request: one line of JSON for one line of JSON."""
        if self.declared and self._process.poll() is not None:
            raise CrashError(f"the process had ended after the answer before, {self._status()}")
        late = threading.Event()

        def kill() -> None:
            late.set()
            self._kill_all()

        timer = threading.Timer(seconds, kill)
        timer.daemon = True
        timer.start()
        try:
            line = self._exchange(json.dumps(request, separators=(",", ":")).encode() + b"\n")
        finally:
            timer.cancel()
        if late.is_set():
            part = f", after {len(line)} bytes of a line without its end" if line else ""
            raise TimeoutExceededError(f"no answer in {seconds:g} s{part}")
        if len(line) > LONGEST_LINE:
            raise ProtocolError(f"expected one line, got more than {LONGEST_LINE >> 20} MB without an end")
        if not line.endswith(b"\n"):
            part = f", after {len(line)} bytes of a line without its end" if line else ""
            self._await_end()
            raise CrashError(f"the process ended without an answer{part}, {self._status()}")
        return parsed(line)

    def _exchange(self, line: bytes) -> bytes:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(line)
            self._process.stdin.flush()
        return self._process.stdout.readline(LONGEST_LINE + 1)

    def last_words(self) -> str:
        """The last lines that the process wrote to its standard error."""
        if self._process.poll() is not None:
            self._listener.join(1)  # what it may have started can hold the pipe open for longer
        return "\n".join(self._errors.decode(errors="replace").strip().splitlines()[-8:])

    def _listen(self) -> None:
        """Keep the end of what comes on standard error, however much that is: a full pipe would stop the child."""
        assert self._process.stderr is not None
        with contextlib.suppress(OSError, ValueError):
            while text := os.read(self._process.stderr.fileno(), 2**16):
                self._errors = (self._errors + text)[-LAST_WORDS:]

    def stop(self) -> None:
        """Say goodbye, wait a little, and end it if it is still there."""
        with contextlib.suppress(OSError):
            assert self._process.stdin is not None
            self._process.stdin.write(b'{"command":"stop"}\n')
            self._process.stdin.close()
        self._await_end()
        self.kill()

    def kill(self) -> None:
        """End the process, and what it may have started."""
        self._kill_all()
        self._process.wait()
        self._listener.join(1)
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            with contextlib.suppress(OSError):
                close(stream)

    def _await_end(self) -> None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_SECONDS)

    def _kill_all(self) -> None:
        if hasattr(os, "killpg"):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
        else:
            self._process.kill()

    def _status(self) -> str:
        status = self._process.poll()
        if status is None:
            return "its output closed"
        if status < 0:
            with contextlib.suppress(ValueError):
                return f"by {signal.Signals(-status).name}"
        return f"exit status {status}"


def close(stream: IO[bytes] | None) -> None:
    """Close a stream, if there is one."""
    if stream is not None:
        stream.close()


# ---- lines ------------------------------------------------------------------------------------------------------


def parsed(line: bytes) -> Document:
    """The JSON object of a line; ProtocolError that shows what stands there instead."""
    try:
        document = json.loads(line, parse_constant=no_number, parse_int=integer)
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"expected one line of JSON, got {shown(line)} ({first_line(error)})") from error
    if not isinstance(document, dict):
        raise ProtocolError(f"expected a JSON object, got {shown(line)}")
    return document


def no_number(name: str) -> float:
    """JSON has no such number."""
    raise ValueError(f'JSON has no {name}: write "{name}", in quotes')


def integer(digits: str) -> int | float:
    """A number without a point; `-0` keeps its sign."""
    return -0.0 if digits == "-0" else int(digits)


def shown(line: bytes) -> str:
    """The beginning of a line, for a message."""
    text = line[: SHOWN + 1].decode(errors="replace").rstrip("\n")
    return repr(text[:SHOWN]) + ("..." if len(line) > SHOWN + 1 else "")


def first_line(error: BaseException) -> str:
    """The first line of an exception's message."""
    return (str(error).splitlines() or [type(error).__name__])[0]


def started(answer: Document) -> Document:
    """What a child declares; ProtocolError if that is not as it should be."""
    conform(answer, "protocol_started", "answer to start")
    for name in answer.get("optimizers", ()):
        if name not in spec.optimizers():
            raise ProtocolError(f"answer to start: no optimizer {name!r}; there are {', '.join(spec.optimizers())}")
    wrong = unknown(answer.get("exposes", {}))
    if wrong:
        raise ProtocolError(f"answer to start: {wrong}")
    return answer


def trajectory_of(answer: Document, seq: int, case: Document) -> Document:
    """The trajectory in an answer to this request; NoAnswerError if there is none, or another."""
    trajectory = answer.get("trajectory")
    if answer.keys() == {"seq", "trajectory"} and isinstance(trajectory, dict):
        conform(without_numbers(trajectory), schema_of(case), "trajectory")
        answer = {**answer, "trajectory": {"id": case["id"], "layout": [], "steps": []}}
    if answer.get("seq") != seq:
        raise ProtocolError(f"expected the answer to request {seq}, got the one to {answer.get('seq')}")
    given = sorted(answer.keys() - {"seq"})
    if len(given) != 1 or given[0] not in ANSWERS:
        raise ProtocolError(f"answer to run: expected seq and one of {', '.join(ANSWERS)}, got {', '.join(answer)}")
    conform(answer, "protocol_answer", "answer to run")
    if "unsupported" in answer:
        raise UnsupportedError(answer["unsupported"])
    if "failed" in answer:
        raise NoAnswerError(f"the adapter failed: {first_line(ValueError(answer['failed']))}", answer["failed"])
    assert trajectory is not None
    if trajectory["id"] != case["id"]:
        raise ProtocolError(f"expected the trajectory of {case['id']}, got that of {trajectory['id']}")
    return dict(trajectory)


def schema_of(case: Document) -> str:
    """The schema of the trajectories of this kind of case."""
    return next((schema for key, schema in TRAJECTORIES.items() if key in case), "trajectory")


def conform(document: Document, schema: str, source: str) -> None:
    """ProtocolError unless a document satisfies its schema."""
    try:
        spec.validate(document, schema, source)
    except spec.SpecificationError as error:
        text = first_line(error)
        hint = '; a NaN is written "NaN", in quotes' if "None is not" in text else ""
        raise ProtocolError((text if len(text) <= 3 * SHOWN else text[: 3 * SHOWN] + " ...") + hint) from error


def without_numbers(document: Any, key: str = "") -> Any:
    """The document with its long lists of plain numbers emptied: what is left is quick to validate."""
    if isinstance(document, dict):
        return {name: without_numbers(value, name) for name, value in document.items()}
    if isinstance(document, list):
        if key != "shape" and set(map(type, document)) <= {int, float}:
            return []
        return [without_numbers(value) for value in document]
    return document


def command_of(asked: str) -> list[str]:
    """The command line in `cmd: node adapter.mjs`."""
    return shlex.split(asked.partition(":")[2], posix=os.name == "posix")


def served(name: str, edition: str | None, timeout: float | None) -> ProcessImplementation:
    """A Python implementation served by a process of its own, which finds the same modules as this one."""
    command = [sys.executable, "-m", "goldenstep.conformance.serve", name, *(["--edition", edition] if edition else [])]
    path = os.pathsep.join(dict.fromkeys([os.getcwd(), *filter(None, sys.path)]))
    asked = f"--impl={shlex.quote(name)} --isolate"
    return ProcessImplementation(command, asked, timeout, {"PYTHONPATH": path})
