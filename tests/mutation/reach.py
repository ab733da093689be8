"""Which goldens run which lines of the reference: no other can kill a mutant of a line.

Recorded in some minutes for a state of the reference and of the goldens, and kept in the user's cache. Whatever a
functools.cache holds is forgotten before each golden, so that it runs the lines that it would run if it were alone.
"""

from __future__ import annotations

import ast
import functools
import gzip
import hashlib
import importlib
import itertools
import os
import pickle
import subprocess
import sys
import time
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from types import FrameType
from typing import Any

from filelock import FileLock

from goldenstep.golden import files

from . import REFERENCE, Mutant, lines_of, pieces

Lines = dict[str, dict[int, int]]
"""For each file and line, from 1, a number: bit n + 1 says that golden n runs it, bit 0 that importing does."""
IMPORT = 1


def kept() -> Path:
    """Where the lines are kept: a name that changes with the reference and with the goldens."""
    digest = hashlib.sha256()
    for path in sorted([*REFERENCE.rglob("*.py"), *files.paths()]):
        digest.update(path.read_bytes())
    folder = Path(os.environ.get("GOLDENSTEP_CACHE", Path.home() / ".cache" / "goldenstep"))
    return folder / f"reach-{digest.hexdigest()[:16]}.pickle.gz"


@functools.cache
def recorded() -> tuple[list[str], Lines]:
    """The ids of all goldens, and the lines that they run; recorded first if that has not been done."""
    path = kept()
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{path}.lock"):  # processes that need them at once record them once
        if not path.exists():
            print("recording which goldens run which lines: some minutes", flush=True)
            subprocess.run([sys.executable, "-m", __name__], check=True)
    identities, lines = pickle.loads(gzip.decompress(path.read_bytes()))
    return identities, lines


def runners(mutant: Mutant, others: bool = True) -> list[str]:
    """The goldens that run what is changed, the most different ones first; where importing runs it, all others, too.

    What stands outside of functions, and what a function does while a module is imported, may be seen by any golden;
    without `others` by any that runs a line of the file.
    """
    identities, lines = recorded()
    of_file, (first, last) = lines.get(mutant.file, {}), statement_at(mutant.file, line_of(mutant))
    bits = functools.reduce(int.__or__, (of_file.get(line, 0) for line in range(first, last + 1)), 0)
    inside = next(p for p in pieces(mutant.file) if p.start < line_of(mutant) <= p.stop)
    span = (mutant.file, inside.start + 1, inside.stop)
    if bits & IMPORT or not bits:
        whole = functools.reduce(int.__or__, of_file.values(), 0)
        everything = (2 << len(identities)) - 1 if others else whole
        return [*mixed(whole, *span), *mixed(everything & ~whole, *span)]
    return list(mixed(bits, *span))


@functools.lru_cache(maxsize=50)
def mixed(bits: int, file: str, first: int, last: int) -> tuple[str, ...]:
    """These goldens: one of each set that runs the same lines of a function, small sets first, then the second ...

    Those of a set are of each optimizer and kind in turn, and those of a kind ordered by the lines of the whole file.
    """
    of_file = recorded()[1].get(file, {})
    of_function = [runs for line, runs in of_file.items() if first <= line <= last]
    place = {one: number for number, one in enumerate(in_turn(parted(bits, list(of_file.values()))))}
    parts = [sorted(part, key=place.__getitem__) for part in parted(bits, of_function)]
    return tuple(in_turn([*in_turn(by_kind(part))] for part in parts))


def by_kind(identities: Iterable[str]) -> list[list[str]]:
    """Ids by their second part: an optimizer, or the kind of case."""
    kinds: dict[str, list[str]] = defaultdict(list)
    for identity in identities:
        kinds[identity.split("/")[1]].append(identity)
    return list(kinds.values())


def parted(bits: int, lines: Sequence[int]) -> list[list[str]]:
    """The goldens in sets of those that run the same lines, each in an order that mixes editions and optimizers."""
    groups = [bits & ~IMPORT]
    for runs in lines:
        groups = [part for group in groups for part in (group & runs, group & ~runs) if part]
    return [sorted(chosen(group), key=lambda identity: zlib.crc32(identity.encode())) for group in groups]


def in_turn(groups: Iterable[Sequence[str]]) -> Iterator[str]:
    """The first of each group, small groups first, then the second."""
    for row in itertools.zip_longest(*sorted(groups, key=len)):
        yield from filter(None, row)


def chosen(bits: int) -> list[str]:
    """The goldens whose bits are set."""
    digits = bin(bits >> 1)[:1:-1]
    return [identity for identity, digit in zip(recorded()[0], digits, strict=False) if digit == "1"]


def line_of(mutant: Mutant) -> int:
    """The first line that a mutant changes, from 1."""
    pairs = zip(lines_of(mutant.file), mutant.source.splitlines(keepends=True), strict=False)
    return next(number for number, (old, new) in enumerate(pairs, 1) if old != new)


@functools.lru_cache(maxsize=10000)
def statement_at(file: str, line: int) -> tuple[int, int]:
    """The first and last line of the innermost statement with a line; of a compound one without what is under it.

    Of a function's signature that is the whole function: what it is called with, or kept for, shows in all of it.
    """
    found = (line, line)
    for node in ast.walk(parsed(file)):  # outer statements come before inner ones
        if isinstance(node, ast.stmt):
            first, last = node.lineno, node.end_lineno or node.lineno
            first = min([first, *(one.lineno for one in getattr(node, "decorator_list", []))])
            body = getattr(node, "body", None)
            if body and not (isinstance(node, ast.FunctionDef) and line < body[0].lineno):
                last = max(node.lineno, body[0].lineno - 1)
            if first <= line <= last:
                found = first, last
    return found


@functools.cache
def parsed(file: str) -> ast.Module:
    """The syntax tree of a file of the reference."""
    return ast.parse("".join(lines_of(file)))


# ---- the recording -----------------------------------------------------------------------------------------------


class Tracer:
    """Notes the lines below a folder of the reference that are run."""

    def __init__(self, top: Path = REFERENCE) -> None:
        self.seen: set[tuple[str, int]] = set()
        self.top = str(top)
        self.inside = self.line

    def __call__(self, frame: FrameType, event: str, _: Any) -> Any:
        """A function is called."""
        if not frame.f_code.co_filename.startswith(self.top):
            return None
        self.seen.add((frame.f_code.co_filename, frame.f_lineno))
        return self.inside

    def line(self, frame: FrameType, event: str, _: Any) -> Any:
        """A line is run."""
        self.seen.add((frame.f_code.co_filename, frame.f_lineno))
        return self.inside


def record(processes: int = 2) -> tuple[list[str], Lines]:
    """Run every golden; ValueError for one that the reference does not pass: it would kill whatever it is asked of."""
    by_file: Lines = defaultdict(dict)
    with ProcessPoolExecutor(processes) as pool:
        for found in pool.map(traced, range(processes), [processes] * processes):
            for (path, line), goldens in found.items():
                of_file = by_file[Path(path).relative_to(REFERENCE).as_posix()]
                of_file[line] = of_file.get(line, 0) | goldens
    return sorted(files.index()), dict(by_file)


def traced(part: int, parts: int) -> dict[tuple[str, int], int]:
    """The lines that importing runs and those of every so many-th golden, with their bits."""
    found: dict[tuple[str, int], int] = defaultdict(int)
    tracer, start = Tracer(), time.monotonic()
    sys.settrace(tracer)
    keras_shaped = importlib.import_module("goldenstep.conformance.keras_shaped")
    verdict = importlib.import_module("goldenstep.conformance.verdict")
    reference = keras_shaped.reference()
    for place in tracer.seen:
        found[place] |= IMPORT
    index = files.index()
    for number, identity in list(enumerate(sorted(index), 1))[part::parts]:
        tracer.seen.clear()
        forget()
        known = files.parsed(*index[identity])
        answer = verdict.judge(reference, known["case"], known["trajectory"]).verdict
        if answer not in (verdict.Verdict.EXACT, verdict.Verdict.WITHIN):
            raise ValueError(f"the unchanged reference does not pass {identity}: {answer.value}")
        for place in tracer.seen:
            found[place] |= 1 << number
        if part == 0 and number % 2000 == 1 and number > 1:
            print(f"{number} goldens, {number / (time.monotonic() - start):.0f} a second", flush=True)
    sys.settrace(None)
    return found


def forget() -> None:
    """Empty the caches of the reference."""
    for name, module in list(sys.modules.items()):
        if name.startswith("goldenstep.reference"):
            for value in list(vars(module).values()):
                if hasattr(value, "cache_clear"):
                    value.cache_clear()


if __name__ == "__main__":
    kept().write_bytes(gzip.compress(pickle.dumps(record()), 1))
