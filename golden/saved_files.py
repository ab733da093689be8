"""The recorded files themselves: one zip per edition, with a folder per case.

They are what the real releases wrote, byte for byte; the goldens say which release, and have each file's SHA-256.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import zipfile
from collections.abc import Mapping
from pathlib import Path

from .files import FOLDER as RECORDED
from .files import Document, GoldenError

FOLDER = Path(__file__).parent / "saved"
EPOCH = (1980, 1, 1, 0, 0, 0)
Members = dict[str, bytes]


def path_of(edition: str, folder: Path = FOLDER) -> Path:
    """Where the files of an edition lie."""
    return folder / f"{edition}.zip"


def write(path: Path, cases: Mapping[str, Members]) -> None:
    """Write the files of every case, by its id without the edition; the same input gives the same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        for identity in sorted(cases):
            for name, data in sorted(cases[identity].items()):
                info = zipfile.ZipInfo(f"{_inside(identity)}/{name}", EPOCH)
                archive.writestr(info, data, zipfile.ZIP_DEFLATED, 9)
    everything.cache_clear()


def members(identity: str, folder: Path = FOLDER) -> Members:
    """The files of a case, by name; GoldenError if there are none."""
    path = path_of(identity.partition("/")[0], folder)
    found = everything(path).get(identity)
    if not found:
        raise GoldenError(f"{path.name}: expected the files of {identity} in the folder {_inside(identity)}")
    return found


@functools.lru_cache(maxsize=4)
def everything(path: Path) -> dict[str, Members]:
    """The files of every case of an edition, by the folder's name."""
    found: dict[str, Members] = {}
    if path.exists():
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                folder, _, member = name.rpartition("/")
                found.setdefault(f"{path.stem}/files/{folder}", {})[member] = archive.read(name)
    return found


def encoded(files: Members) -> dict[str, str]:
    """Files as a case brings them: base64 by name."""
    return {name: base64.b64encode(data).decode() for name, data in sorted(files.items())}


def decoded(files: Mapping[str, str]) -> Members:
    """Files that a case or an answer brings, by name."""
    return {name: base64.b64decode(data) for name, data in files.items()}


def in_folder(folder: Path) -> Members:
    """The files of a folder, by name."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def _inside(identity: str) -> str:
    """The folder of a case in the zip: its id without the edition and the kind."""
    return identity.split("/", 2)[2]


def digests(files: Members) -> dict[str, str]:
    """SHA-256 in hex of each file, by name."""
    return {name: hashlib.sha256(data).hexdigest() for name, data in sorted(files.items())}


class Store:
    """The files of an edition while it is recorded: those that were there, and those that come with an answer."""

    def __init__(self, edition: str, used: bool, recorded: Path) -> None:
        self._path = path_of(edition, FOLDER if recorded == RECORDED else recorded / "saved")
        self._cases = dict(everything(self._path)) if used else {}
        self._used = used
        self._new = False

    def kept(self, identity: str, answer: Document) -> Document:
        """The answer with its files put aside, and their digests in their place."""
        if "members" not in answer:
            return answer
        self._cases[identity] = decoded(answer["members"])
        self._new = True
        return {**answer, "members": digests(self._cases[identity])}

    def write(self, identities: list[str]) -> None:
        """Write the files of these cases, if any are new or gone."""
        if self._used and (self._new or set(identities) != set(self._cases)):
            write(self._path, {identity: self._cases[identity] for identity in identities})
