"""The goldens alone reject every wrong implementation: tests/wrong/README.md says which golden rejects which."""

from __future__ import annotations

import pytest

from .wrong import (  # type: ignore[import-not-found]  # pytest finds the package beside this file, mypy does not
    RECORDED,
    WRONG,
    Wrong,
    index,
    rejects,
    rows,
)

WRITE = "write the table again: python -m tests.wrong"


@pytest.mark.parametrize("suspect", WRONG.values(), ids=WRONG)
def test_the_golden_of_the_table_rejects(suspect: Wrong) -> None:
    """The case that the table names rejects it, and the reference itself passes that case."""
    assert suspect.id in rows(), WRITE
    case = rows()[suspect.id].case
    assert case != "none", f"{suspect.id} survives"
    assert rejects(case, suspect), f"{case} lets it pass; {WRITE}"
    assert not rejects(case, RIGHT)


RIGHT = Wrong("right", "nothing", "own", [], ["keras3"], ["SGD"])


def test_the_table_has_no_stale_row() -> None:
    """Every row is about a wrong implementation that exists, and a golden is called one."""
    assert list(rows()) == list(WRONG), WRITE
    assert [r.case for r in rows().values() if (r.case in index()) != (r.standing == RECORDED)] == [], WRITE


def test_afterwards_the_reference_is_right_again() -> None:
    """What is replaced is put back."""
    for suspect in WRONG.values():
        before = [edit.function for edit in suspect.edits]
        with suspect.at_work():
            pass
        assert [edit.function for edit in suspect.edits] == before
    assert not rejects("keras3/adam/defaults-float32", RIGHT)
