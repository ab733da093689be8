"""How long one step takes: the reference beside the real `apply_gradients`, and a 10-million-element Adam.

python tests/benchmarks/step_time.py            needs the oracles' environments (tox run -e oracle-... --notest)
"""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from goldenstep.reference import Variable
from goldenstep.reference.editions import namespace

RELEASES = ("tf2.4", "tf2.9", "tf2.12", "tf2.15", "keras3")
NAMES = ("SGD", "RMSprop", "Adam", "Nadam", "Ftrl")
CACHE = Path(os.environ.get("GOLDENSTEP_CACHE", Path.home() / ".cache" / "goldenstep"))


def microseconds(edition: str, name: str, seconds: float = 0.3) -> float:
    """The best mean of three rounds of the reference's `apply_gradients` on the two usual variables."""
    optimizer = getattr(namespace(edition), name)()
    variables = [Variable(np.ones((2, 5), np.float32), "kernel"), Variable(np.ones(3, np.float32), "bias")]
    pairs = [(np.full(v.shape, 0.1, np.float32), v) for v in variables]
    optimizer.apply_gradients(pairs)
    best = float("inf")
    for _ in range(3):
        count, start = 0, time.perf_counter()
        while time.perf_counter() - start < seconds:
            optimizer.apply_gradients(pairs)
            count += 1
        best = min(best, (time.perf_counter() - start) / count * 1e6)
    return best


def real(release: str) -> dict[str, float]:
    """Microseconds of the real release, or nothing if its environment has not been made."""
    python = CACHE / f"oracle-{release}" / "bin" / "python"
    if not python.exists():
        return {}
    script = str(Path(__file__).with_name("real_step.py"))
    result = subprocess.run([str(python), script, release, *NAMES], capture_output=True, text=True, check=True)
    return dict(json.loads(result.stdout.splitlines()[-1]))


def large_adam() -> float:
    """Milliseconds of one Adam step of the reference on ten million elements."""
    variable = Variable(np.ones(10_000_000, np.float32), "kernel")
    gradient = np.full(10_000_000, 0.1, np.float32)
    optimizer = namespace("keras3").Adam()
    optimizer.apply_gradients([(gradient, variable)])
    start = time.perf_counter()
    for _ in range(3):
        optimizer.apply_gradients([(gradient, variable)])
    return (time.perf_counter() - start) / 3 * 1e3


def main() -> None:
    """Print both tables."""
    table = Table("edition", "optimizer", "reference, us", "real release, us", "times faster")
    for release in RELEASES:
        theirs = real(release)
        for name in NAMES:
            ours = microseconds(release, name)
            cells = (f"{theirs[name]:.0f}", f"{theirs[name] / ours:.0f}") if theirs else ("no environment", "-")
            table.add_row(release, name, f"{ours:.1f}", *cells)
    Console().print(table)
    Console().print(f"one keras3 Adam step on 10,000,000 elements: {large_adam():.0f} ms")


if __name__ == "__main__":
    main()
