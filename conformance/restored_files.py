"""Files that the reference writes, for an implementation to restore: the made cases of checkpoints, with their members.

A checkpoint can be written from nothing, without a file of a release: so these cases need none that was recorded.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from goldenstep.golden import saved_files
from goldenstep.golden.file_cases import file_cases
from goldenstep.spec.saved_files import arrays

from .files import as_optimizer_case, places, trained
from .pristine import module_of, pristine

Document = dict[str, Any]


def restored_cases(edition: str) -> Iterator[Document]:
    """Every made case of a checkpoint that holds the whole state, with the checkpoint as the reference writes it."""
    for case in file_cases(edition):
        whole = arrays(case["file"], edition, case["trained"]) is None
        if case["file"] == "checkpoint" and "max_shard_size" not in case and whole:
            yield {**case, "members": written(case)}


def written(case: Document) -> dict[str, str]:
    """The files of a case by name, as base64: the reference trains, and writes its optimizer."""
    implementation = pristine()
    variables, optimizer = implementation.variables(case), implementation.construct(as_optimizer_case(case))
    trained(implementation, case, optimizer, variables, True)
    with tempfile.TemporaryDirectory() as folder:
        held = dict(zip(places(case), variables, strict=True))
        module_of("formats.files").write_checkpoint(Path(folder) / "model-1", optimizer, held)
        return saved_files.encoded(saved_files.in_folder(Path(folder)))
