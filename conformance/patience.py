"""How long a case that breaks a property is made smaller."""

from __future__ import annotations

import json
from typing import Any

from goldenstep.golden.compare import unrolled

Document = dict[str, Any]
STEPS = 20_000
"""So many steps may be spent on one failure: seconds, where hypothesis would go on for five minutes."""
CASE = 10
"""A case costs as much as so many steps, however few it has."""


class Patience:
    """Counts what is spent once a case has failed; at the end of it only the cases that failed are tried once more.

    What it counts is steps, not seconds, so that the same case is found on any machine.
    """

    def __init__(self) -> None:
        self.failed: set[str] = set()
        self.spent = 0

    def lasts(self, case: Document) -> bool:
        """Is the case to be tried?"""
        if not self.failed:
            return True
        self.spent += CASE + sum(1 for _ in unrolled(case.get("events", [])))
        return self.spent <= STEPS or json.dumps(case) in self.failed

    def note(self, case: Document) -> None:
        """The case has failed."""
        self.failed.add(json.dumps(case))
