"""The README's commands exist, its examples give what they show, and its links lead somewhere."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

README = Path(__file__).parent.parent / "README.md"


def test_examples_give_what_they_show() -> None:
    result = doctest.testfile(str(README), module_relative=False)
    assert result.attempted
    assert result.failed == 0


def test_links_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", README.read_text())
    assert links
    assert [link for link in links if not (README.parent / link).exists()] == []


def test_the_verdict_table_is_real_output() -> None:
    text = README.read_text()
    assert "@@" not in text
    assert "goldenstep: verdicts on reference" in text
