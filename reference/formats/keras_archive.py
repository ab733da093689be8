"""`.keras` files: a zip with config.json, metadata.json and model.weights.h5; of old releases plain HDF5.

Source   keras 2.15.0 and 3.15.1, src/saving/saving_lib.py: _save_model_to_fileobj.
"""

from __future__ import annotations

import dataclasses
import json
import struct
import tempfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from . import hdf5
from .errors import FileFormatError
from .saved import MOST_TEXT, SavedOptimizer, optimizer_config, parsed, renewed, twice

WEIGHTS, CONFIG, METADATA = "model.weights.h5", "config.json", "metadata.json"
SIGNATURE = b"PK"
LEAST_LIMIT = 64 << 20
CHUNK = 1 << 20
WRONG = (zipfile.BadZipFile, zlib.error, struct.error, ArithmeticError, EOFError, OSError, RuntimeError, ValueError)
"""What zipfile raises for a corrupt file."""


def read(path: Path, seconds: float = hdf5.SECONDS) -> SavedOptimizer:
    """The optimizer of a `.keras` file; FileFormatError, naming the file, if it is none."""
    with path.open("rb") as file:
        start = file.read(8)
    if start == hdf5.SIGNATURE:
        return dataclasses.replace(hdf5.read(path, seconds), format="keras")
    try:
        if not start.startswith(SIGNATURE):
            raise FileFormatError(f"expected a zip, which begins with {SIGNATURE!r}, or HDF5, got {start!r}")
        return _read(path, seconds)
    except FileFormatError as error:
        raise FileFormatError(f"{path}: {error}") from error
    except WRONG as error:
        raise FileFormatError(f"{path}: expected a zip that can be read: {error}") from error


def _read(path: Path, seconds: float) -> SavedOptimizer:
    with zipfile.ZipFile(path) as archive, tempfile.TemporaryDirectory() as folder:
        _refuse_names(archive)
        metadata = parsed(_text(archive, METADATA), METADATA)
        config = parsed(_text(archive, CONFIG), CONFIG)
        weights = Path(folder) / WEIGHTS
        _extract(archive, weights, path)
        try:
            saved = hdf5.read(weights, seconds)
        except FileFormatError as error:
            raise FileFormatError(str(error).replace(str(weights), WEIGHTS)) from error
    compiled = config.get("compile_config") if isinstance(config, dict) else None
    given = compiled.get("optimizer") if isinstance(compiled, dict) else None
    version = metadata.get("keras_version") if isinstance(metadata, dict) else None
    if not isinstance(version, str):
        raise FileFormatError(f"{METADATA}: expected an object with keras_version")
    found = optimizer_config(given, f"{CONFIG}: compile_config.optimizer") if given is not None else None
    return SavedOptimizer("keras", saved.weights, found, version)


def _refuse_names(archive: zipfile.ZipFile) -> None:
    """Members must be relative, stay below their folder, and be there once."""
    names = archive.namelist()
    for name in names:
        parts = PurePosixPath(name.replace("\\", "/"))
        if parts.is_absolute() or ".." in parts.parts or ":" in name or "\0" in name:
            raise FileFormatError(f"a member is called {name!r}, expected a path inside the archive")
    repeated = twice(names)
    if repeated is not None:
        raise FileFormatError(f"the member {repeated!r} stands twice")
    for name in (METADATA, CONFIG, WEIGHTS):
        if name not in names:
            raise FileFormatError(f"expected the members {METADATA}, {CONFIG} and {WEIGHTS}, got {sorted(names)[:9]}")
        packed = archive.getinfo(name).compress_type
        if packed not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):  # others ask for any amount of memory
            raise FileFormatError(f"{name} is compressed in the way {packed}, expected 0 (stored) or 8 (deflated)")


def _text(archive: zipfile.ZipFile, name: str) -> bytes:
    """A member, as far as is needed to see that it is too long."""
    with archive.open(name) as member:
        return member.read(MOST_TEXT + 1)


def _extract(archive: zipfile.ZipFile, target: Path, source: Path) -> None:
    """Write the weights to `target`; FileFormatError for more than 20 times the size of the archive, but 64 MiB."""
    limit, written = max(LEAST_LIMIT, 20 * source.stat().st_size), 0
    with archive.open(WEIGHTS) as member, target.open("wb") as out:
        while piece := member.read(CHUNK):
            written += len(piece)
            if written > limit:
                raise FileFormatError(f"{WEIGHTS} unpacks to more than {limit} bytes")
            out.write(piece)


# ---- writing ------------------------------------------------------------------------------------------------


def write(path: Path, saved: SavedOptimizer, base: Path, seconds: float = hdf5.SECONDS) -> None:
    """Write `base`, a file with a model, with the state and config of another optimizer in it, to `path`."""
    before = read(base, seconds)
    with base.open("rb") as file:
        if file.read(8) == hdf5.SIGNATURE:
            hdf5.write(path, saved, base, seconds)
            return
    with zipfile.ZipFile(base) as archive, tempfile.TemporaryDirectory() as folder:
        config = parsed(_text(archive, CONFIG), CONFIG)
        if before.config is None:
            raise FileFormatError(f"{base}: {CONFIG} has no compile_config.optimizer, expected a compiled model")
        config["compile_config"]["optimizer"] = renewed(before.config, saved.config)
        weights, written = Path(folder) / "before.h5", Path(folder) / "after.h5"
        _extract(archive, weights, base)
        hdf5.write(written, saved, weights, seconds)
        new = {CONFIG: json.dumps(config).encode(), WEIGHTS: written.read_bytes()}
        with zipfile.ZipFile(path, "w") as target:
            for info in archive.infolist():
                data = new[info.filename] if info.filename in new else archive.read(info)
                target.writestr(zipfile.ZipInfo(info.filename), data)
