"""Try mutants and name those that survive; exit status 1 if one does without a reason, or a reason fits none."""

from __future__ import annotations

import argparse
import sys
import time
from collections import deque
from concurrent.futures import ProcessPoolExecutor

from . import Mutant, equivalents, killer, known, mutants, targets

_recent: dict[str, deque[str]] = {}


def tried(mutant: Mutant) -> str:
    """What killed it; the killers of its file's last mutants are asked first."""
    recent = _recent.setdefault(mutant.file, deque(maxlen=8))
    found = killer(mutant, list(dict.fromkeys(recent)))
    if "/" in found:
        recent.appendleft(found)
    return found


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser("tests.mutation", description=__doc__)
    parser.add_argument("files", nargs="*", help=f"of reference/ (default: {len(targets())} files)")
    parser.add_argument("--sample", type=int, metavar="N", help="only so many, evenly chosen")
    given = parser.parse_args()
    unknown = set(given.files) - set(targets())
    if unknown:
        parser.error(f"{', '.join(sorted(unknown))}: expected one of {', '.join(targets())}")
    every = [mutant for file in given.files or targets() for mutant in mutants(file)]
    chosen = every[:: max(1, len(every) // given.sample)] if given.sample else every
    start, survivors, used = time.monotonic(), 0, set()
    with ProcessPoolExecutor(2) as pool:
        for count, (mutant, found) in enumerate(zip(chosen, pool.map(tried, chosen, chunksize=8), strict=True), 1):
            entry = known(mutant)
            if entry:
                used.add((entry["file"], entry["before"], entry["after"]))
            if not found and not entry:
                survivors += 1
                print(
                    f"survives: {mutant.file}: {mutant.operator}\n  - {mutant.before}\n  + {mutant.after}", flush=True
                )
            if count % 200 == 0:
                print(f"{count} of {len(chosen)}, {count / (time.monotonic() - start):.1f} a second", flush=True)
    texts = {(m.file, m.before, m.after) for m in every}
    wanted = [e for e in equivalents() if e["file"] in (given.files or targets())]
    stale = [e for e in wanted if (e["file"], e["before"], e["after"]) not in texts]
    for entry in stale:
        print(f"stale entry of equivalent.toml: {entry['file']}: {entry['before']} -> {entry['after']}")
    print(
        f"{len(chosen)} of {len(every)} mutants in {time.monotonic() - start:.0f} s: "
        f"{len(chosen) - survivors - len(used)} killed, {len(used)} known to be equivalent, {survivors} survive"
    )
    return int(bool(survivors or stale))


if __name__ == "__main__":
    sys.exit(main())
