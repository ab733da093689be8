"""Tests as judges, beside the goldens: of what no golden has.

No golden holds a file that is wrong, nor one that the reference writes, nor a lambda: refusals, writing and conversion
are judged by TESTS, each test by those lines of `FILES` that it runs. Which do is recorded in some minutes for a state
of the reference and of the tests, and kept in the user's cache as reach.py's are.
"""

from __future__ import annotations

import contextlib
import functools
import gzip
import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from filelock import FileLock

from . import REFERENCE, Mutant
from .reach import Tracer, forget, line_of, statement_at

TOP = Path(__file__).parents[2]
HELD = ("formats/by_module.py", "formats/identifiers.py")
"""Functions of these are held by the editions that were imported."""
FILES = HELD + tuple(
    f"formats/{name}.py"
    for name in (
        *("bundle", "checkpoint", "checkpoint_writer", "convert", "crc32c", "files", "hdf5", "hdf5_child"),
        *("keras_archive", "object_graph", "protobuf", "saved", "slices_of_tensors", "table"),
    )
)
"""What the tests judge."""
TESTS = tuple(
    f"tests/test_{name}.py"
    for name in (
        *("files", "files_exactly", "checkpoints_exactly", "hdf5_exactly", "hostile_files", "hostile_sizes"),
        *("convert", "convert_exactly", "documents"),
    )
)
CHILD, PARENT = "formats/hdf5_child.py", "formats/hdf5.py"
SECONDS = 60
"""A mutant that takes longer for one test has killed itself."""
Lines = dict[str, dict[str, list[int]]]
"""For each file and line the numbers of the tests that run it, 0 is the quickest."""


def kept() -> Path:
    """Where the lines are kept: a name that changes with the reference and with the tests."""
    digest = hashlib.sha256()
    for path in sorted([*REFERENCE.rglob("*.py"), *(TOP / test for test in TESTS)]):
        digest.update(path.read_bytes())
    folder = Path(os.environ.get("GOLDENSTEP_CACHE", Path.home() / ".cache" / "goldenstep"))
    return folder / f"reach-of-tests-{digest.hexdigest()[:16]}.json.gz"


@functools.cache
def recorded() -> tuple[list[str], Lines]:
    """The tests, and the lines that they run; recorded first if that has not been done. ValueError if one fails."""
    path = kept()
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{path}.lock"):  # processes that need them at once record them once
        if not path.exists():
            print("recording which tests run which lines: a minute or two", flush=True)
            done = subprocess.run([sys.executable, "-m", __name__, str(path)], cwd=TOP, capture_output=True, text=True)
            if done.returncode:
                raise ValueError(f"the unchanged reference doesn't pass its tests:\n{done.stdout[-2000:]}{done.stderr}")
    tests, lines = json.loads(gzip.decompress(path.read_bytes()))
    return tests, lines


@functools.lru_cache(maxsize=100)
def of_lines(file: str, first: int, last: int) -> list[str]:
    """The tests that run one of some lines; where none does, as importing may, those that run any line of the file."""
    tests, lines = recorded()
    of_file = lines.get(file, {})
    found = set[int]().union(*(of_file.get(str(line), ()) for line in range(first, last + 1)))
    return [tests[number] for number in sorted(found or set[int]().union(*of_file.values()))]


def judges_of(mutant: Mutant) -> list[str]:
    """The tests that may kill a mutant; what runs in a process of its own, by all that ask that process."""
    if mutant.file == CHILD:
        return of_lines(PARENT, 0, 0)
    return of_lines(mutant.file, *statement_at(mutant.file, line_of(mutant)))


def is_test(identity: str) -> bool:
    """Is a judge a test, and not a golden?"""
    return "::" in identity


# ---- the trial ----------------------------------------------------------------------------------------------------


class Chosen:
    """Runs some tests, in their order, until one fails."""

    def __init__(self, tests: Sequence[str]) -> None:
        self.place = {test: number for number, test in enumerate(tests)}
        self.failed = ""

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Only these."""
        items[:] = sorted((i for i in items if i.nodeid in self.place), key=lambda item: self.place[item.nodeid])

    def pytest_runtest_setup(self) -> None:
        """The time of a test begins."""
        signal.alarm(SECONDS)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """The first that fails is the answer."""
        if report.failed and not self.failed:
            self.failed = report.nodeid


def first_failed(tests: Sequence[str]) -> str:
    """The first test that the reference as it is loaded now does not pass, or "". ValueError if none can be run."""
    chosen = Chosen(tests)
    paths = dict.fromkeys(test.split("::")[0] for test in tests)
    with tempfile.TemporaryDirectory() as folder:
        options = ["-qx", "-p", "no:cacheprovider", "-p", "no:xdist", f"--basetemp={folder}/run", f"--rootdir={TOP}"]
        status = pytest.main([*options, *(str(TOP / path) for path in paths)], [chosen])
    signal.alarm(0)
    if status not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.NO_TESTS_COLLECTED):
        raise ValueError("the tests can't be collected")
    return chosen.failed


@contextlib.contextmanager
def served_to_child(mutant: Mutant) -> Iterator[None]:
    """The process that opens HDF5 files, which imports anew, runs the mutated source."""
    if mutant.file != CHILD:
        yield
        return
    from goldenstep.reference.formats import hdf5  # as it is loaded now

    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "mutated_child.py").write_text(mutant.source, "utf-8")
        os.environ["PYTHONPATH"] = folder
        hdf5.CHILD = "mutated_child"
        yield


# ---- the recording ------------------------------------------------------------------------------------------------


class Recorder:
    """Notes the lines of the reference that each test runs."""

    def __init__(self) -> None:
        self.lines: dict[str, dict[int, list[str]]] = {}
        self.seconds: dict[str, float] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """A test, with what prepares it; what functools.cache holds is forgotten before."""
        forget()
        tracer, start = Tracer(REFERENCE / "formats"), time.process_time()
        sys.settrace(tracer)
        try:
            return (yield)
        finally:
            sys.settrace(None)
            self.seconds[item.nodeid] = time.process_time() - start
            for path, line in tracer.seen:
                file = Path(path).relative_to(REFERENCE).as_posix()
                if file in FILES:
                    self.lines.setdefault(file, {}).setdefault(line, []).append(item.nodeid)

    def result(self) -> tuple[list[str], Lines]:
        """The tests, the quickest first, and the lines."""
        tests = sorted(self.seconds, key=self.seconds.__getitem__)
        place = {test: number for number, test in enumerate(tests)}
        return tests, {
            file: {str(line): [place[test] for test in found] for line, found in of_file.items()}
            for file, of_file in self.lines.items()
        }


def record(path: Path) -> int:
    """Run the tests, and keep what they ran; the exit status of pytest."""
    recorder = Recorder()
    status = pytest.main(["-q", "-p", "no:cacheprovider", "-p", "no:xdist", *TESTS], [recorder])
    if status == pytest.ExitCode.OK:
        path.write_bytes(gzip.compress(json.dumps(recorder.result()).encode(), 1))
    return int(status)


if __name__ == "__main__":
    sys.exit(record(Path(sys.argv[1])))
