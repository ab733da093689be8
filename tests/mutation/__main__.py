"""Try mutants and name those that survive; exit status 1 if one does without a reason, or a reason fits none."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter, deque
from concurrent.futures import ProcessPoolExecutor

from . import Mutant, mutants, targets
from .equivalents import Equivalent, known, stale
from .judges import killer

RECENT = 8
_recent: dict[tuple[str, str], deque[str]] = {}


def tried(mutant: Mutant) -> str:
    """What killed it; the killers of the last mutants of its function and its file are asked first."""
    recent = [_recent.setdefault((mutant.file, where), deque(maxlen=RECENT)) for where in (mutant.where, "")]
    found = killer(mutant, list(dict.fromkeys([*recent[0], *recent[1]])))
    for last in recent if "/" in found else ():
        if found not in last:
            last.appendleft(found)
    return found


def evenly(every: list[Mutant], count: int) -> list[Mutant]:
    """So many of the mutants that have to be killed, at equal distances."""
    mortal = [mutant for mutant in every if not known(mutant)]
    return [mortal[i * len(mortal) // count] for i in range(min(count, len(mortal)))]


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser("tests.mutation", description=__doc__)
    parser.add_argument("files", nargs="*", help=f"of reference/ (default: {len(targets())} files)")
    parser.add_argument("--sample", type=int, metavar="N", help="only so many of those not known, evenly chosen")
    parser.add_argument("--processes", type=int, metavar="N", default=min(os.cpu_count() or 1, 2))
    given = parser.parse_args()
    unknown = set(given.files) - set(targets())
    if unknown:
        parser.error(f"{', '.join(sorted(unknown))}: expected one of {', '.join(targets())}")
    start = time.monotonic()
    tried_files = given.files or targets()
    with ProcessPoolExecutor(given.processes) as pool:
        every = [mutant for made in pool.map(mutants, tried_files) for mutant in made]
        chosen = evenly(every, given.sample) if given.sample else every
        used, counts = set[Equivalent](), Counter[str]()
        for count, (mutant, found) in enumerate(zip(chosen, pool.map(tried, chosen, chunksize=8), strict=True), 1):
            entry = known(mutant)
            if found:
                counts["killed"] += 1
            elif entry:
                counts["equivalent"] += 1
                used.add(entry)
            else:
                counts["surviving"] += 1
                print(f"survives: {mutant}", flush=True)
            if count % 200 == 0:
                print(f"{count} of {len(chosen)}, {count / (time.monotonic() - start):.1f} a second", flush=True)
    wrong = stale(every, tried_files)
    if not given.sample:
        wrong += sorted({entry for m in every if (entry := known(m))} - used - set(wrong))
    for one in wrong:
        print(f"stale entry of equivalent.toml, no mutant of it survives: {one}")
    print(
        f"{len(chosen)} of {len(every)} mutants in {time.monotonic() - start:.0f} s: "
        f"{counts['killed']} killed, {counts['equivalent']} known to be equivalent, {counts['surviving']} survive"
    )
    return int(bool(counts["surviving"] or wrong))


if __name__ == "__main__":
    sys.exit(main())
