"""Try mutants and name those that survive; exit status 1 if one does without a reason, or a reason fits none."""

from __future__ import annotations

import argparse
import functools
import json
import os
import sys
import time
from collections import Counter, defaultdict, deque
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from zlib import crc32

from . import REFERENCE, Mutant, mutants, mutants_of, pieces, targets
from .by_tests import is_test
from .equivalents import GAP, Equivalent, known, reasons, stale
from .judges import check, index, killer

RECENT = 8
STEP = 7919
KILLED_WITHOUT = {"import": "broken", "time": "endless"}
KILLERS = Path(__file__).parent / "killers.json"
_recent: dict[tuple[str, str], deque[str]] = {}


def tried(mutant: Mutant, most: int | None = None) -> str:
    """What killed it; the killers of the last mutants of its function and file are asked first, then recorded ones."""
    recent = [_recent.setdefault((mutant.file, where), deque(maxlen=RECENT)) for where in (mutant.where, "")]
    found = killer(mutant, list(dict.fromkeys([*recent[0], *recent[1], *recorded(mutant)])), most)
    for last in recent if "/" in found else ():
        if found not in last:
            last.appendleft(found)
    return found


@functools.cache
def killers() -> dict[str, dict[str, list[str]]]:
    """The goldens that killed the mutants of a file's functions in its last recorded run."""
    return dict(json.loads(KILLERS.read_text("utf-8")))


def recorded(mutant: Mutant) -> list[str]:
    """Those of a mutant's function that are still there."""
    kept = killers().get(mutant.file, {}).get(mutant.where, [])
    return [identity for identity in kept if identity in index() or is_test(identity)]


def record(found: dict[str, dict[str, set[str]]]) -> None:
    """Keep what killed the mutants of the files of a run."""
    kept = killers() | {
        file: {name: sorted(ids) for name, ids in functions.items()} for file, functions in found.items()
    }
    KILLERS.write_text(json.dumps(kept, indent=0, sort_keys=True) + "\n", "utf-8")


def sampled(count: int) -> list[Mutant]:
    """So many of the mutants that have to be killed: one each of functions at equal distances."""
    parts = [piece for file in targets() for piece in pieces(file)]
    chosen: list[Mutant] = []
    for number in range(len(parts)):  # a step that is prime to the number of parts comes to each of them
        piece = parts[number * STEP % len(parts)]
        mortal = [mutant for mutant in mutants_of(piece) if not known(mutant)]
        if mortal:
            chosen.append(mortal[crc32(piece.where.encode()) % len(mortal)])
        if len(chosen) == count:
            break
    return sorted(chosen, key=lambda mutant: mutant.file)


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser("tests.mutation", description=__doc__)
    parser.add_argument("files", nargs="*", help=f"of reference/ (default: the {len(targets())} settled ones)")
    parser.add_argument("--sample", type=int, metavar="N", help="only so many of those not known, evenly chosen")
    parser.add_argument(
        "--most", type=int, metavar="N", help="ask each of N goldens and N tests only: quick, not whole"
    )
    parser.add_argument("--processes", type=int, metavar="N", default=min(os.cpu_count() or 1, 2))
    parser.add_argument(
        "--record", action="store_true", help="note what killed them in killers.json, to be asked first"
    )
    given = parser.parse_args()
    unknown = sorted(file for file in given.files if not (REFERENCE / file).is_file())
    if unknown:
        parser.error(f"{', '.join(unknown)}: expected files of reference/, such as {targets()[0]}")
    start = time.monotonic()
    tried_files = given.files or targets()
    with ProcessPoolExecutor(given.processes) as pool:
        made = () if given.sample else pool.map(mutants, tried_files)
        chosen = sampled(given.sample) if given.sample else [mutant for some in made for mutant in some]
        used, counts = set[Equivalent](), Counter[str]()
        killed_by: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        for count, (mutant, found) in enumerate(
            zip(chosen, pool.map(functools.partial(tried, most=given.most), chosen, chunksize=8), strict=True), 1
        ):
            entry = known(mutant)
            if "/" in found:
                killed_by[mutant.file][mutant.where].add(found)
                counts["tested"] += is_test(found)
            if found:
                counts["killed" if "/" in found else KILLED_WITHOUT[found]] += 1
            elif entry:
                counts["gap" if reasons()[entry].startswith(GAP) else "equivalent"] += 1
                used.add(entry)
            else:
                counts["surviving"] += 1
                print(f"survives: {mutant}", flush=True)
            if count % 200 == 0:
                print(f"{count} of {len(chosen)}, {count / (time.monotonic() - start):.1f} a second", flush=True)
        for file, functions in killed_by.items():
            pool.submit(check, file, sorted(set().union(*functions.values()))).result()
    if given.record and not given.sample:
        record(killed_by)
    wrong = stale()
    if not given.sample:
        wrong += [entry for entry in reasons() if entry.file in tried_files and entry not in [*used, *wrong]]
    for one in wrong:
        print(f"stale entry of equivalent.toml, no mutant of it survives: {one}")
    print(
        f"{len(chosen)} mutants in {time.monotonic() - start:.0f} s: "
        f"{counts['killed'] - counts['tested']} killed by a golden, {counts['tested']} by a test, "
        f"{counts['broken']} can't be imported, {counts['endless']} don't end, "
        f"{counts['equivalent']} known to be equivalent, {counts['gap']} known gaps, "
        f"{counts['surviving']} survive"
    )
    return int(bool(counts["surviving"] or wrong))


if __name__ == "__main__":
    sys.exit(main())
