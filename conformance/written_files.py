"""Are the files that the reference writes loaded by the real releases, with the optimizer's state intact?

    python -m goldenstep.conformance.written_files RELEASE --python PYTHON

For every recorded file that a release restores: the reference trains, writes the file anew, and the release goes on
from it. The release must do what the reference does that reads the same file, to the bit; once with the state as it
is, and once with every number of it changed, so that nothing that was in the file before can pass for it.
"""

from __future__ import annotations

import argparse
import base64
import dataclasses
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from goldenstep import spec
from goldenstep.golden import files as goldens
from goldenstep.golden import saved_files
from goldenstep.golden.compare import Divergence
from goldenstep.golden.file_compare import held, other_steps
from goldenstep.golden.oracle_process import OracleError, OracleProcess
from goldenstep.golden.record import editions_of
from goldenstep.reference.formats import files
from goldenstep.reference.formats.saved import SavedOptimizer

from .files import as_optimizer_case, laid_out, trained
from .keras_shaped import KerasShaped, reference

Document = dict[str, Any]
FACTOR = 0.75


def cases(release: str) -> Iterator[Document]:
    """The goldens of files that a release restores the state from."""
    for edition in editions_of(release):
        for golden in goldens.goldens(goldens.path_of(edition, "files")):
            if held(golden["case"])["restores"] == "state":
                yield golden


def written(implementation: KerasShaped, case: Document, changed: bool, folder: Path) -> Path:
    """The file of a case as the reference writes it, after training with its own optimizer."""
    base = laid_out(case, saved_files.members(case["id"]), folder)
    variables, optimizer = implementation.variables(case), implementation.construct(as_optimizer_case(case))
    trained(implementation, case, optimizer, variables, True)
    saved = files.saved_from(optimizer, variables)
    target = folder / "written" / base.name
    target.parent.mkdir()
    files.write(target, other(saved) if changed else saved, base)
    return target


def other(saved: SavedOptimizer) -> SavedOptimizer:
    """The same optimizer with another state: numbers times 0.75, counters two steps later."""
    weights = [dataclasses.replace(weight, value=another(weight.value)) for weight in saved.weights]
    return dataclasses.replace(saved, weights=weights, beside={n: another(v) for n, v in saved.beside.items()})


def another(value: np.ndarray) -> np.ndarray:
    """An array of other numbers."""
    if value.dtype == np.int64:
        return value + 2
    return value * value.dtype.type(FACTOR) if value.dtype.kind == "f" else value


def resumed(implementation: KerasShaped, case: Document, path: Path, config: Document | None = None) -> list[Document]:
    """The steps of the reference that goes on from a file; with another config than that of the case, if it has one."""
    variables = implementation.variables(case)
    trained(implementation, case, implementation.construct(as_optimizer_case(case)), variables, True)
    given = case if config is None else {**case, "trained": {**case["trained"], "config": config}}
    optimizer = implementation.construct(as_optimizer_case(given))
    files.restore(path, optimizer, variables)
    return trained(implementation, case, optimizer, variables, False)


def difference(oracle: OracleProcess, golden: Document, changed: bool) -> str | None:
    """How the release that loads a written file goes on differently; None if it does not."""
    implementation, case = reference(), golden["case"]
    scope = f"{case['trained']['class_name']}/"
    names = [entry["name"].removeprefix(scope) for entry in golden["trajectory"]["layout"]]
    with tempfile.TemporaryDirectory() as folder:
        path = written(implementation, case, changed, Path(folder))
        members = {p.name: base64.b64encode(p.read_bytes()).decode() for p in sorted(path.parent.iterdir())}
        wanted = resumed(implementation, case, path)
    got = oracle.run({**case, "members": members, "usual_order": names})
    if "error" in got:
        return f"{got['error']['type']}: {got['error']['message']}"
    divergence: Divergence | None = other_steps(case, golden["trajectory"], wanted, got["resumed"])
    return str(divergence) if divergence else None


def verify(release: str, python: str, only: str | None = None) -> int:
    """Try every file of a release, print what differs; returns how many do."""
    console, wrong, count = Console(), 0, 0
    with OracleProcess(release, python) as oracle:
        oracle.start()
        for golden in cases(release):
            for changed in (False, True):
                if only and only not in golden["case"]["id"]:
                    continue
                count += 1
                found = difference(oracle, golden, changed)
                if found:
                    wrong += 1
                    state = "another state" if changed else "its own state"
                    console.print(f"[red]differs[/red] {golden['case']['id']} with {state}: {found}", highlight=False)
    console.print(f"{release}: {count} written files loaded, {count - wrong} go on to the bit, {wrong} differ")
    return wrong


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status 0 if all files are loaded intact, 1 if one is not, 2 if the release can't run."""
    parser = argparse.ArgumentParser("goldenstep.conformance.written_files", description=__doc__)
    parser.add_argument("release", choices=sorted({document["release"] for document in spec.editions().values()}))
    parser.add_argument("--python", required=True, help="the Python of the environment that has the release")
    parser.add_argument("--only", help="only cases whose id has this in it")
    given = parser.parse_args(arguments)
    try:
        return int(verify(given.release, given.python, given.only) > 0)
    except OracleError as error:
        print(error, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
