"""The oracle of a release as a child process: a case in, a trajectory out, one line of JSON each."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any

Document = dict[str, Any]
ORACLE = Path(__file__).parent / "oracles" / "oracle.py"


class OracleError(RuntimeError):
    """The oracle did not answer; the message says what it printed instead."""


class OracleProcess:
    """A real release at work, inside its own environment's Python. Use it in a `with` statement."""

    def __init__(self, release: str, python: str, replicas: int = 1) -> None:
        if not Path(python).exists():
            raise OracleError(
                f"no Python of release {release} at {python}: make it with `tox run -e oracle-{release} --notest`"
            )
        self.release = release
        self.python = python
        self._others: dict[int, OracleProcess] = {}
        # A file, not a pipe: nobody reads it while the oracle works, and a full pipe would stop it.
        self._warnings = tempfile.TemporaryFile("w+")  # noqa: SIM115
        self._process = subprocess.Popen(
            [python, str(ORACLE), release, *([str(replicas)] if replicas > 1 else [])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._warnings,
            text=True,
        )

    def __enter__(self) -> OracleProcess:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for other in self._others.values():
            other.__exit__(kind, error, trace)
        if self._process.poll() is None:
            self._process.kill()
        self._process.communicate()
        self._warnings.close()

    def start(self) -> Document:
        """Versions of Python, numpy and the framework, and the CPU features that matter."""
        return self._ask({"command": "start"})

    def run(self, case: Document) -> Document:
        """The trajectory of a case; one of several replicas runs in a process of its own kind, with as many devices."""
        replicas = case.get("replicas", 1)
        if replicas > 1 and replicas not in self._others:
            self._others[replicas] = OracleProcess(self.release, self.python, replicas)
        return (self._others.get(replicas) or self)._ask({"command": "run", "case": case})

    def _ask(self, request: Document) -> Document:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
            answer = json.loads(self._process.stdout.readline())
        except (BrokenPipeError, ValueError) as error:
            self._process.kill()
            self._process.communicate()
            self._warnings.seek(0)
            last = self._warnings.read().strip().splitlines()[-8:]
            raise OracleError(f"the oracle of {self.release} gave no answer:\n" + "\n".join(last)) from error
        return dict(answer)
