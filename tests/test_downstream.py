"""Somebody else's CI: the commands of docs/continuous-integration.md in a project, and pytest's conventions."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

PAGE = Path(__file__).parent.parent / "docs" / "continuous-integration.md"
PACKAGE = """
import numpy as np
from goldenstep.reference import Variable
from goldenstep.reference.editions import keras3
GOLDENSTEP_EDITIONS = ["keras3"]
clear_session = keras3.clear_session

class SGD(keras3.SGD):
    def apply_gradients(self, pairs):
        return super().apply_gradients([(g * np.float32(FACTOR), v) for g, v in pairs])
"""
FEW = ["-k", "sgd and (defaults or shape-scalar)"]


def commands() -> list[list[str]]:
    """The commands of the workflow that are Goldenstep's."""
    lines = re.findall(r"run: (goldenstep .*)", PAGE.read_text("utf-8"))
    return [[sys.executable, "-m", "goldenstep.conformance.command_line", *shlex.split(line)[1:]] for line in lines]


def project(folder: Path, factor: str) -> Path:
    """A project as the page describes it."""
    (folder / "mypkg.py").write_text(PACKAGE.replace("FACTOR", factor))
    (folder / "known-failures.toml").write_text("")
    return folder


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)


@pytest.mark.parametrize(("factor", "status"), [("1.0", 0), ("1.01", 1)])
def test_the_commands_of_the_workflow_run(factor: str, status: int, tmp_path: Path) -> None:
    check, report = commands()
    folder = project(tmp_path, factor)
    result = run(folder, *check, *FEW)
    assert result.returncode == status, result.stdout + result.stderr
    cases = ElementTree.parse(folder / "junit.xml").getroot().iter("testcase")
    failed = [case for case in cases if case.find("failure") is not None]
    assert bool(failed) == bool(status)
    assert run(folder, *report).returncode == 0
    assert "mypkg" in (folder / "report.html").read_text()
    assert (folder / "badges" / "mypkg-keras3.svg").exists()


def test_the_plugin_keeps_pytests_conventions(tmp_path: Path) -> None:
    folder = project(tmp_path, "1.0")
    (folder / "test_own.py").write_text("def test_own():\n    pass\n")
    pytest_ = (sys.executable, "-m", "pytest", "-p", "no:cacheprovider")
    help_text = run(folder, *pytest_, "--help").stdout
    group = help_text.partition("Goldenstep: is your Adam really Adam?")[2]
    assert all(option in group for option in ("--impl", "--isolate", "--timeout", "--known-failures", "--report"))
    assert "conformance: a verdict" in run(folder, *pytest_, "--markers").stdout
    own = run(folder, *pytest_, "-q", "-m", "not conformance", "test_own.py", "--strict-markers")
    assert "1 passed" in own.stdout
    suite = (*pytest_, "--pyargs", "goldenstep.conformance", "--impl=mypkg", "--optimizer=SGD", "-q", "--collect-only")
    chosen = run(folder, *suite, "-k", "nesterov").stdout
    assert "keras3/sgd/nesterov" in chosen
    assert "keras3/sgd/defaults" not in chosen
    assert "no tests collected" in run(folder, *suite, "-m", "not conformance").stdout
