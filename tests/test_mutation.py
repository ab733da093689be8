"""The mutation of the reference is on trial: what it makes, and that a golden kills what is wrong."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("cosmic_ray", reason="mutation needs cosmic-ray: tox -e mutation")
SCRIPT = """
import sys
sys.path.insert(0, {folder!r})
from mutation import killer, mutants
found = [m for m in mutants("rules/lion.py") if m.before == "m = m * b2 + g * (1 - b2)"]
seen = {{m.operator for m in found}}
assert {{"DropStatement", "ExchangeOperands", "NumberReplacer", "ReplaceBinaryOperator_Add_Sub"}} <= seen
print(killer(found[0]))
right = type(found[0])(found[0].file, "none", "", "", found[0].source.replace(found[0].after, found[0].before, 1))
print(killer(right) or "survives")
"""


def test_a_mutant_is_killed_by_a_golden_and_the_reference_is_not() -> None:
    folder = str(Path(__file__).parent)
    script = SCRIPT.format(folder=folder)
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=300)
    killed, right = run.stdout.split()
    assert "/lion/" in killed, run.stderr
    assert right == "survives"
