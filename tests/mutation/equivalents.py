"""What is known to be equivalent: the mutants that survive and may, each with its reason, in equivalent.toml.

[[equivalent]]
file = "rules/adam.py"
where = "adam_kernel"                  # may be left out: anywhere in the file
reason = "..."
changes = [["line before", "line after"], ...]
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from . import Mutant

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

TABLE = Path(__file__).parent / "equivalent.toml"


class Equivalent(NamedTuple):
    """One change that no golden can tell, in one function or, if `where` is empty, in all functions of a file."""

    file: str
    where: str
    before: str
    after: str

    def fits(self, mutant: Mutant) -> bool:
        """Is the mutant this change?"""
        same = (self.file, self.before, self.after) == (mutant.file, mutant.before, mutant.after)
        return same and self.where in ("", mutant.where)


@functools.cache
def reasons() -> dict[Equivalent, str]:
    """Every known change with its reason; ValueError for a change that stands twice or has no reason."""
    found: dict[Equivalent, str] = {}
    for entry in tomllib.loads(TABLE.read_text("utf-8")).get("equivalent", []):
        for before, after in entry["changes"]:
            key = Equivalent(entry["file"], entry.get("where", ""), before, after)
            if key in found or not entry["reason"].strip():
                raise ValueError(f"equivalent.toml: {key}: expected once, and with a reason")
            found[key] = entry["reason"]
    return found


def known(mutant: Mutant) -> Equivalent | None:
    """The entry that explains a mutant."""
    return next((entry for entry in reasons() if entry.fits(mutant)), None)


def stale(made: Iterable[Mutant], of: Iterable[str]) -> list[Equivalent]:
    """The entries about these files that fit none of their mutants."""
    left = {entry for entry in reasons() if entry.file in of}
    for mutant in made:
        left -= {entry for entry in left if entry.fits(mutant)}
    return sorted(left)
