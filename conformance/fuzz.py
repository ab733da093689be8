"""Search on, for as long as asked: the properties in rounds, each with a seed of its own.

    python -m goldenstep.conformance.fuzz --impl=mypkg --minutes 60

It goes on where the last search of the same implementation stopped (.hypothesis/goldenstep-fuzz.json holds the next
seed), and keeps what it has found in hypothesis' database: the directory .hypothesis/examples, the one that
GOLDENSTEP_EXAMPLES names, or the Redis of GOLDENSTEP_REDIS, which several machines share.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

PLACE = Path(".hypothesis") / "goldenstep-fuzz.json"


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status: 0 if every property held, 1 if one did not, 2 if the suite could not run."""
    parser = argparse.ArgumentParser("goldenstep.conformance.fuzz", description=__doc__)
    parser.add_argument("--impl", default="reference", metavar="NAME", help="as for `goldenstep check`")
    parser.add_argument("--minutes", type=float, default=10, help="when to stop, after the round that runs then")
    given, for_pytest = parser.parse_known_args(arguments)
    start, rounds, worst = time.monotonic(), 0, 0
    while time.monotonic() - start < given.minutes * 60:
        seed = next_seed(given.impl)
        begun = time.monotonic()
        status = one_round(given.impl, seed, for_pytest)
        rounds += 1
        worst = max(worst, status)
        if status > 1:
            return 2
        remember(given.impl, seed + 1)
        seconds = time.monotonic() - begun
        verdict = "a property does not hold" if status else "all hold"
        print(f"round {rounds}, seed {seed}: {verdict}; {seconds:.0f} s", flush=True)
    print(f"{rounds} rounds in {time.monotonic() - start:.0f} s; the next seed is {next_seed(given.impl)}")
    return worst


def one_round(name: str, seed: int, more: Sequence[str]) -> int:
    """The properties once, ten times as many cases as by default; the exit status of pytest."""
    options = ["-k", "test_property", "-q", "--no-header", "-p", "no:cacheprovider", f"--impl={name}", *more]
    search = ["--hypothesis-profile=goldenstep-fuzz", f"--hypothesis-seed={seed}"]
    command = [sys.executable, "-m", "pytest", "--pyargs", "goldenstep.conformance", *options, *search]
    return subprocess.run(command, env={**os.environ, "GOLDENSTEP_FUZZ": "1"}, check=False).returncode


def next_seed(name: str) -> int:
    """Where the search of an implementation goes on."""
    return int(seeds().get(name, 0))


def remember(name: str, seed: int) -> None:
    """Write down where to go on."""
    PLACE.parent.mkdir(exist_ok=True)
    PLACE.write_text(json.dumps({**seeds(), name: seed}, sort_keys=True), "utf-8")


def seeds() -> dict[str, int]:
    """The next seed of every implementation that was searched here."""
    return dict(json.loads(PLACE.read_text("utf-8"))) if PLACE.exists() else {}


if __name__ == "__main__":
    sys.exit(main())
