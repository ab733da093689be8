"""The mutation of the reference is on trial: what it makes, what kills it, and a short run of it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("cosmic_ray", reason="mutation needs cosmic-ray: pip install -e '.[dev]'")
TOP = Path(__file__).parent.parent
MADE = """
from tests.mutation import mutants
from tests.mutation.judges import killer
found = [m for m in mutants("rules/lion.py") if m.where == "lion" and m.before == "m = m * b2 + g * (1 - b2)"]
seen = {m.operator for m in found}
assert {"DropStatement", "ExchangeOperands", "NumberReplacer", "ReplaceBinaryOperator_Add_Sub"} <= seen, seen
print(killer(found[0]))
right = type(found[0])(*found[0][:5], found[0].source.replace(found[0].after, found[0].before, 1))
print(killer(right) or "survives")
"""


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    """A Python in the top folder, without what these tests have loaded."""
    command = [sys.executable, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=3600, cwd=TOP, check=False)


def test_a_mutant_is_killed_by_a_golden_and_the_reference_is_not() -> None:
    run = python("-c", MADE)
    assert run.returncode == 0, run.stderr
    killed, right = run.stdout.split()
    assert "/lion/" in killed
    assert right == "survives"


def test_a_sample_leaves_no_survivor_and_no_reason_is_stale() -> None:
    run = python("-m", "tests.mutation", "--sample", "120")
    assert run.returncode == 0, run.stdout + run.stderr
    assert "120 mutants in" in run.stdout
    ends = re.findall(r"(\d+) (killed by a golden|by a test|can't be imported|don't end)", run.stdout)
    assert sum(int(number) for number, _ in ends) == 120, run.stdout
    assert sum(int(number) for number, how in ends if how.endswith(("golden", "test"))) > 100, run.stdout
