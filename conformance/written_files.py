"""Are the files that the reference writes loaded by the real releases, with the optimizer's state intact?

    python -m goldenstep.conformance.written_files RELEASE --python PYTHON

For every recorded file that a release restores: the reference trains, writes the file anew, and the release goes on
from it. The release must do what the reference does that reads the same file, to the bit; once with the state as it
is, and once with every number of it changed, so that nothing that was in the file before can pass for it. Checkpoints
are written into a copy of the recorded one, and from nothing.
"""

from __future__ import annotations

import dataclasses
import itertools
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from goldenstep.golden import files as goldens
from goldenstep.golden import saved_files
from goldenstep.golden.compare import Divergence
from goldenstep.golden.file_compare import held, lost, other_steps
from goldenstep.golden.oracle_process import OracleProcess
from goldenstep.golden.record import editions_of
from goldenstep.reference.formats import checkpoint_writer, files
from goldenstep.reference.formats.saved import SavedOptimizer, Weight
from goldenstep.spec import saved_files as saved_files_spec

from . import on_a_release
from .files import as_optimizer_case, laid_out, places, restored_case, trained
from .keras_shaped import KerasShaped, reference

Document = dict[str, Any]
FACTOR = 0.75


def cases(release: str) -> Iterator[Document]:
    """The goldens of files that a release restores the whole state from."""
    for edition in editions_of(release):
        for golden in goldens.goldens(goldens.path_of(edition, "files")):
            case = golden["case"]
            whole = saved_files_spec.arrays(case["file"], case["edition"], case["trained"]) is None
            if held(case)["restores"] == "state" and whole and not lost(case):
                yield golden


def written(
    implementation: KerasShaped, case: Document, changed: bool, folder: Path, from_nothing: bool = False
) -> Path:
    """The file of a case as the reference writes it, after training with its own optimizer."""
    base = laid_out(case, saved_files.members(case["id"]), folder)
    variables, optimizer = implementation.variables(case), implementation.construct(as_optimizer_case(case))
    trained(implementation, case, optimizer, variables, True)
    saved = files.saved_from(optimizer, variables)
    target = folder / "written" / base.name
    target.parent.mkdir()
    given = other(saved) if changed else saved
    if from_nothing:
        held = dict(zip(places(case), (Weight(v.path, v.value) for v in variables), strict=True))
        checkpoint_writer.write_new(target, given, case["edition"], held)
    else:
        files.write(target, given, base)
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
    optimizer = implementation.construct(restored_case(case if config is None else {**case, "into": config}))
    files.restore(path, optimizer, variables)
    return trained(implementation, case, optimizer, variables, False)


def usual_order(golden: Document) -> list[str]:
    """The names of the state in the order of an optimizer that was not restored, without the optimizer's own name."""
    name, config = list(saved_files_spec.classes(golden["case"]["trained"]))[-1]
    scope = f"{config.get('name', name)}/"
    return [entry["name"].removeprefix(scope) for entry in golden["trajectory"]["layout"]]


def difference(oracle: OracleProcess, golden: Document, changed: bool, from_nothing: bool) -> str | None:
    """How the release that loads a written file goes on differently; None if it does not."""
    implementation, case = reference(), golden["case"]
    names = usual_order(golden)
    with tempfile.TemporaryDirectory() as folder:
        path = written(implementation, case, changed, Path(folder), from_nothing)
        members = saved_files.encoded(saved_files.in_folder(path.parent))
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
            ways = (False, True) if golden["case"]["file"] == "checkpoint" else (False,)
            for changed, from_nothing in itertools.product((False, True), ways):
                if only and only not in golden["case"]["id"]:
                    continue
                count += 1
                found = difference(oracle, golden, changed, from_nothing)
                if found:
                    wrong += 1
                    state = "another state" if changed else "its own state"
                    state += ", from nothing" if from_nothing else ""
                    console.print(f"[red]differs[/red] {golden['case']['id']} with {state}: {found}", highlight=False)
    console.print(f"{release}: {count} written files loaded, {count - wrong} go on to the bit, {wrong} differ")
    return wrong


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status 0 if all files are loaded intact, 1 if one is not, 2 if the release can't run."""
    return on_a_release.main("written_files", __doc__, verify, arguments)


if __name__ == "__main__":
    sys.exit(main())
