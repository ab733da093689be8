"""Make a golden of a case that was drawn: record it from the real release, and keep it among the promoted cases.

golden/promoted/EDITION/OPTIMIZER.jsonl holds the cases, one a line; record.py takes them with all others.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from goldenstep import spec

from . import files, saved_files
from .oracle_process import OracleError

Document = dict[str, Any]
PROMOTED = Path(__file__).parent / "promoted"


def promoted_cases(edition: str, optimizer: str, folder: Path = PROMOTED) -> Iterator[Document]:
    """The promoted cases of an optimizer of an edition, or of the schedules of a release, in the order they came."""
    path = folder / edition / f"{optimizer.lower()}.jsonl"
    if path.exists():
        yield from (json.loads(line) for line in path.read_text("utf-8").splitlines())


def promote(case: Document, name: str | None = None, python: str | None = None, folder: Path | None = None) -> Document:
    """Keep a case and record it; returns the golden.

    OracleError if the release can't be run; GoldenError if the id is taken. With a folder of its own, both case and
    golden are kept there. Files that a case brings are left out: the release writes its own.
    """
    from .record import record

    edition, optimizer, _ = case["id"].split("/", 2)
    release = spec.editions()[edition]["release"]
    python = python or str(environment(release))
    if not Path(python).exists():
        raise OracleError(f"{python}: no such Python. `tox -e oracle-{release} --notest` makes that of {release}.")
    cases = PROMOTED if folder is None else folder / "promoted"
    case = {key: value for key, value in case.items() if key != "members"}
    case["id"] = named(case, name)
    if case["id"] in files.index(folder or files.FOLDER):
        raise files.GoldenError(f"{case['id']} is a golden already: give another --name.")
    path = cases / edition / f"{optimizer}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as lines:
        lines.write(files.dumps(case) + "\n")
    record(release, python, folder or files.FOLDER, optimizer, cases=cases)
    return files.parsed(*files.index(folder or files.FOLDER)[case["id"]])


def judged(golden: Document, folder: Path | None) -> Document:
    """The case of a promoted golden as it is judged: with its files, where they lie in a folder of its own."""
    case: Document = golden["case"]
    if folder is None or "file" not in case:
        return case
    return {**case, "members": saved_files.encoded(saved_files.members(case["id"], folder / "saved"))}


def environment(release: str) -> Path:
    """Where tox keeps the Python of a release."""
    cache = os.environ.get("GOLDENSTEP_CACHE") or Path.home() / ".cache" / "goldenstep"
    return Path(cache) / f"oracle-{release}" / "bin" / "python"


def named(case: Document, name: str | None) -> str:
    """The id: its edition, its optimizer, and the name, or eight digits of what is in it."""
    content = {key: value for key, value in case.items() if key != "id"}
    digest = hashlib.sha256(files.dumps(content).encode()).hexdigest()[:8]
    return f"{case['id'].rpartition('/')[0]}/{name or f'drawn-{digest}'}"
