"""Readers of files under a fuzzer that follows the branches they take: atheris, on libFuzzer.

    tox -e fuzz-files -- -max_total_time=600

What is fuzzed lies below the checksums, which count as right here: the index of a checkpoint, its object graph, and
configs as JSON. The first byte chooses. Anything but a reading or a FileFormatError is a find, and so is an import.
HDF5 is read by a process of its own, where no branches can be followed: test_hostile_files.py mutates such files.
"""

from __future__ import annotations

import builtins
import contextlib
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from goldenstep import spec
from goldenstep.golden import saved_files
from goldenstep.reference.formats import bundle, checkpoint, object_graph, table
from goldenstep.reference.formats.errors import FileFormatError
from goldenstep.reference.formats.saved import optimizer_config, parsed

SEEDS = [
    "tf2.4/files/adam/defaults-checkpoint",
    "tf2.9/files/adam/amsgrad-checkpoint",
    "tf2.12/files/nadam/defaults-checkpoint",
    "keras3/files/adam/shards-of-16-bytes-checkpoint",
]


class Right(int):
    """A checksum that is equal to any other."""

    def __eq__(self, other: object) -> bool:
        return True

    def __ne__(self, other: object) -> bool:
        return False

    __hash__ = int.__hash__


@contextlib.contextmanager
def checksums_are_right() -> Iterator[None]:
    """No reader looks at a checksum."""
    before = table.masked, bundle.masked
    table.masked = bundle.masked = lambda data: Right(0)
    try:
        yield
    finally:
        table.masked, bundle.masked = before


class ImportedError(Exception):
    """A reader has imported something while it read."""


@contextlib.contextmanager
def nothing_is_imported() -> Iterator[None]:
    """What is not imported yet must not be."""
    real = builtins.__import__

    def refusing(name: str, *rest: Any, **more: Any) -> Any:
        if name.split(".")[0] not in sys.modules:
            raise ImportedError(name)
        return real(name, *rest, **more)

    builtins.__import__ = refusing
    try:
        yield
    finally:
        builtins.__import__ = real


def read(data: bytes, folder: Path) -> str:
    """Read one input; what came of it."""
    kind, rest = data[:1], data[1:]
    with checksums_are_right(), nothing_is_imported():
        try:
            if kind == b"i":
                for name, content in saved_files.members(SEEDS[0]).items():
                    (folder / name).write_bytes(rest if name.endswith(".index") else content)
                checkpoint.read(folder / "model-1")
            elif kind == b"g":
                nodes = object_graph.parsed(rest)
                checkpoint._found(nodes)
            elif kind == b"t":
                table.entries(rest)
            else:
                optimizer_config(parsed(rest, "config"), "config")
        except FileFormatError:
            return "refused"
    return "read"


def seeds() -> Iterator[bytes]:
    """Inputs to begin with: each kind of what the releases wrote."""
    for identity in SEEDS:
        for name, content in sorted(saved_files.members(identity).items()):
            if name.endswith(".index"):
                yield b"i" + content
                yield b"t" + content
        with tempfile.TemporaryDirectory() as folder:
            for name, content in saved_files.members(identity).items():
                (Path(folder) / name).write_bytes(content)
            graph = bundle.read(Path(folder) / "model-1")[object_graph.KEY]
        assert isinstance(graph, bytes)
        yield b"g" + graph
    yield b'c{"class_name": "Adam", "config": {"learning_rate": 0.5}}'
    yield b'c{"module": "keras.optimizers", "class_name": "Adam", "config": {"name": "adam"}, "registered_name": null}'


def warm(folder: Path) -> None:
    """What the first reading and the first refusal import is imported."""
    for seed in seeds():
        with contextlib.suppress(FileFormatError, ImportedError):
            read(seed, folder)
    with contextlib.suppress(spec.SpecificationError):
        spec.validate({}, "saved_config", "empty")
    with contextlib.suppress(spec.SpecificationError):
        spec.validate({"class_name": "Adam", "config": {"a": {"class_name": 1}}}, "saved_config", "wrong")


def main() -> None:
    """Fuzz until libFuzzer's own options, which are taken as they are, say stop."""
    import atheris

    with tempfile.TemporaryDirectory() as name:
        folder, corpus = Path(name), Path(name) / "corpus"
        corpus.mkdir()
        for number, seed in enumerate(seeds()):
            (corpus / str(number)).write_bytes(seed)
        warm(folder)
        for module in (table, bundle, checkpoint, object_graph):
            for function in [f for f in vars(module).values() if getattr(f, "__module__", "") == module.__name__]:
                if callable(function) and hasattr(function, "__code__"):
                    atheris.instrument_func(function)
        options = ["-rss_limit_mb=1024", "-timeout=10", "-max_len=65536"]
        atheris.Setup([sys.argv[0], *options, *sys.argv[1:], str(corpus)], lambda data: read(data, folder) and None)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
