"""python -m goldenstep.golden record|verify RELEASE --python PATH: see `--help`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from goldenstep import spec

from . import files
from .oracle_process import OracleError
from .record import KINDS, record, verify


def main(arguments: list[str] | None = None) -> int:
    """Exit status: 0 if all is well, 1 if goldens drifted, 2 if the oracle can't run."""
    releases = sorted({edition["release"] for edition in spec.editions().values()})
    parser = argparse.ArgumentParser(
        "goldenstep.golden", description="Record goldens from a real release, or verify them."
    )
    parser.add_argument("action", choices=("record", "verify"))
    parser.add_argument("release", choices=releases)
    parser.add_argument("--python", required=True, help="the Python of the environment that has the release")
    parser.add_argument(
        "--folder", type=Path, default=files.FOLDER, help="where the goldens lie (default: the shipped ones)"
    )
    parser.add_argument("--optimizer", help=f"only this optimizer or wrapper, or one of: {', '.join(KINDS)}")
    parser.add_argument("--all", action="store_true", help="record known cases again, too")
    given = parser.parse_args(arguments)
    try:
        if given.action == "record":
            record(given.release, given.python, given.folder, given.optimizer, given.all)
            return 0
        result = verify(given.release, given.python, given.folder, given.optimizer)
    except OracleError as error:
        print(error, file=sys.stderr)
        return 2
    return int(result > 0)


if __name__ == "__main__":
    sys.exit(main())
