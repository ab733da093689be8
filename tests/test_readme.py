"""The README's commands exist, its examples give what they show, and its links lead somewhere."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

README = Path(__file__).parent.parent / "README.md"


def test_examples_give_what_they_show() -> None:
    command = [sys.executable, "-m", "doctest", "-v", str(README)]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout
    assert ">>>" in README.read_text()
    assert "0 failed" in result.stdout


def test_links_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", README.read_text())
    assert links
    assert [link for link in links if not (README.parent / link).exists()] == []


def test_the_verdict_table_is_real_output() -> None:
    text = README.read_text()
    assert "@@" not in text
    assert "goldenstep: verdicts on reference" in text
