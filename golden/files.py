"""Golden files: one per edition and optimizer, and one for a release's schedules.

They are JSON lines: a provenance line, and then one golden per line.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from goldenstep import spec

Document = dict[str, Any]
FOLDER = Path(__file__).parent / "recorded"
LOCK = Path(__file__).parent / "ids.txt"


class GoldenError(ValueError):
    """A golden file is not as it should be; the message names the file, the line and the expectation."""


def dumps(document: Document) -> str:
    """The one canonical text of a line."""
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def path_of(edition: str, optimizer: str, folder: Path = FOLDER) -> Path:
    """Where the goldens of an optimizer of an edition lie."""
    return folder / edition / f"{optimizer.lower()}.jsonl"


def write(path: Path, provenance: Document, goldens: Iterable[Document]) -> None:
    """Write a file: the provenance, then the goldens in the given order."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [dumps({"provenance": provenance}), *(dumps(golden) for golden in goldens)]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    _lines.cache_clear()


@functools.lru_cache(maxsize=128)
def _lines(path: Path) -> tuple[str, ...]:
    return tuple(path.read_text("utf-8").splitlines())


def provenance(path: Path) -> Document:
    """What recorded the file: versions, CPU features, digest of the specification."""
    return dict(parsed(path, 0)["provenance"])


def parsed(path: Path, index: int) -> Document:
    """Line `index` of a golden file; GoldenError, naming file and line, if it is no JSON object."""
    try:
        document = json.loads(_lines(path)[index])
    except (ValueError, IndexError) as error:
        raise GoldenError(f"{path.name}, line {index + 1}: expected a JSON object: {error}") from error
    if not isinstance(document, dict):
        raise GoldenError(f"{path.name}, line {index + 1}: expected a JSON object, got {type(document).__name__}")
    return document


def paths(folder: Path = FOLDER) -> list[Path]:
    """All golden files, editions oldest first, optimizers by name."""
    return [path for edition in spec.editions() for path in sorted((folder / edition).glob("*.jsonl"))]


def index(folder: Path = FOLDER) -> dict[str, tuple[Path, int]]:
    """Where each golden is, by case id: file and line number. Nothing is parsed but the id."""
    found: dict[str, tuple[Path, int]] = {}
    for path in paths(folder):
        for line, text in enumerate(_lines(path)[1:], 1):
            identity = text.partition('{"case":{"id":"')[2].partition('"')[0]
            if not identity:
                raise GoldenError(f"{path.name}, line {line + 1}: expected a golden that begins with its case's id")
            if identity in found:
                raise GoldenError(f"{path.name}, line {line + 1}: the id {identity!r} stands twice")
            found[identity] = path, line
    return found


def goldens(path: Path) -> Iterator[Document]:
    """Every golden of a file."""
    return (parsed(path, line) for line in range(1, len(_lines(path))))


def locked_ids() -> list[str]:
    """Every id that was ever given out, in the order it came."""
    return LOCK.read_text("utf-8").split() if LOCK.exists() else []
