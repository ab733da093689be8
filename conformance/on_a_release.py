"""The command line of the modules that try files of the reference on a real release."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence

from goldenstep import spec
from goldenstep.golden.oracle_process import OracleError


def main(
    module: str, about: str | None, verify: Callable[[str, str, str | None], int], arguments: Sequence[str] | None
) -> int:
    """`verify(release, python, only)`; exit status 0 if it counts nothing wrong, 1 if it does, 2 without a release."""
    parser = argparse.ArgumentParser(f"goldenstep.conformance.{module}", description=about)
    parser.add_argument("release", choices=sorted({document["release"] for document in spec.editions().values()}))
    parser.add_argument("--python", required=True, help="the Python of the environment that has the release")
    parser.add_argument("--only", help="only what has this in its id")
    given = parser.parse_args(arguments)
    try:
        return int(verify(given.release, given.python, given.only) > 0)
    except OracleError as error:
        print(error, file=sys.stderr)
        return 2
