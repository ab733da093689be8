"""Judge every right implementation by the whole suite: python -m tests.right [NAME ...] [-- OPTIONS OF PYTEST]"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from . import RIGHT

ROOT = Path(__file__).parent.parent.parent


def main(arguments: list[str]) -> int:
    """How many raise an alarm."""
    cut = arguments.index("--") if "--" in arguments else len(arguments)
    names, options = arguments[:cut] or list(RIGHT), arguments[cut + 1 :] or ["-q", "-n", "2"]
    alarms = 0
    for name in names:
        print(f"== {name}", flush=True)
        command = [sys.executable, "-m", "pytest", "conformance", f"--impl={RIGHT[name]}", *options]
        alarms += subprocess.run(command, cwd=ROOT, check=False).returncode != 0
    print(f"{alarms} of {len(names)} raise an alarm")
    return alarms


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
