"""Do the real releases go on from files that `goldenstep convert` has written?

    python -m goldenstep.conformance.converted_files RELEASE --python PYTHON

For every optimizer of the release and every other edition that has it: the reference trains as the other edition, every
number of its state is changed, the file is written, and converted into one that the release itself wrote. The release
then loads it and must go on as the reference of its own edition does, to the bit. What is refused is counted.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from goldenstep import spec
from goldenstep.golden import files as goldens
from goldenstep.golden import saved_files
from goldenstep.golden.file_compare import held, other_steps
from goldenstep.golden.oracle_process import OracleProcess
from goldenstep.golden.record import editions_of
from goldenstep.reference.formats import files
from goldenstep.reference.formats.convert import ConversionError, arguments_of, convert

from . import on_a_release
from .files import laid_out
from .keras_shaped import reference
from .written_files import resumed, usual_order, written

Document = dict[str, Any]


def pairs(release: str) -> Iterator[tuple[Document, Document]]:
    """Goldens of the same optimizer with its defaults: of another edition, and of one of the release's."""
    found = {
        (golden["case"]["edition"], golden["case"]["trained"]["class_name"], golden["case"]["file"]): golden
        for edition in spec.editions()
        for golden in goldens.goldens(goldens.path_of(edition, "files"))
        if "/defaults-" in golden["case"]["id"] and held(golden["case"])["restores"] == "state"
    }
    for (edition, name, format), target in found.items():
        if edition in editions_of(release):
            for (other, same, other_format), source in found.items():
                alike = (format == "checkpoint") == (other_format == "checkpoint")
                if same == name and other != edition and (alike or "tf2.9" in (other, edition)):
                    yield source, target


def difference(oracle: OracleProcess, source: Document, target: Document) -> str | None:
    """How the release goes on differently from the converted file; None if it does not. Raises ConversionError."""
    implementation, case = reference(), target["case"]
    with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
        path = written(implementation, source["case"], True, Path(first))
        base = laid_out(case, saved_files.members(case["id"]), Path(second))
        output = Path(second) / "converted" / base.name
        output.parent.mkdir()
        editions = source["case"]["edition"], case["edition"]
        convert(path, base, output, *editions, source["case"]["trained"]["class_name"])
        saved, name = files.read(output), case["trained"]["class_name"]
        config = arguments_of(name, case["edition"], saved.config["config"], saved) if saved.config else None
        wanted = resumed(implementation, case, output, config)
        members = saved_files.encoded(saved_files.in_folder(output.parent))
    names = usual_order(target)
    got = oracle.run({**case, "members": members, "usual_order": names})
    if "error" in got:
        return f"{got['error']['type']}: {got['error']['message']}"
    divergence = other_steps(case, target["trajectory"], wanted, got["resumed"])
    return str(divergence) if divergence else None


def verify(release: str, python: str, only: str | None = None) -> int:
    """Try every pair of a release, print what differs; returns how many do."""
    console, counts = Console(), Counter[str]()
    with OracleProcess(release, python) as oracle:
        oracle.start()
        for source, target in pairs(release):
            shown = f"{source['case']['id']} -> {target['case']['id']}"
            if only and only not in shown:
                continue
            try:
                wrong = difference(oracle, source, target)
            except ConversionError:
                counts["refused"] += 1
                continue
            counts["differ" if wrong else "to the bit"] += 1
            if wrong:
                console.print(f"[red]differs[/red] {shown}: {wrong}", highlight=False)
    console.print(
        f"{release}: {counts['to the bit']} converted files go on to the bit, {counts['differ']} differ, "
        f"{counts['refused']} conversions refused"
    )
    return counts["differ"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit status 0 if all files are loaded intact, 1 if one is not, 2 if the release can't run."""
    return on_a_release.main("converted_files", __doc__, verify, arguments)


if __name__ == "__main__":
    sys.exit(main())
