"""What is known to be equivalent: the mutants that survive and may, each with its reason, in equivalent.toml.

[[equivalent]]
file = "rules/adam.py"
where = "adam_kernel"                  # may be left out: anywhere in the file
reason = "..."                         # "Gap: ..." if a golden could tell, and is still to be recorded
changes = [["line before", "line after"], ...]
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from . import Mutant, lines_of, mutants_of, pieces

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

GAP = "Gap: "
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


def stale() -> list[Equivalent]:
    """The entries that fit no mutant: the line that they are about has changed."""
    return [entry for entry in reasons() if not any(entry.fits(mutant) for mutant in candidates(entry))]


def candidates(entry: Equivalent) -> Iterator[Mutant]:
    """The mutants of those pieces of a file that have an entry's line."""
    for piece in pieces(entry.file):
        own = lines_of(entry.file)[piece.start : piece.stop]
        if entry.where in ("", piece.where) and any(line.strip() == entry.before for line in own):
            yield from mutants_of(piece)
