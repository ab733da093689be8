"""The trial of a mutant: which goldens are asked, and which of them kills it.

First those that killed other mutants of the same function (killers.json has those of the last whole run), then

    rules/NAME.py             those of the optimizer, of the editions whose tables name the function
    schedules/NAME.py         those of the schedule and of numbers of other types, then configs and identifiers
    any other file            every golden that runs the line that is changed (reach.py), and if it is run while the
                              module is imported, every golden
    formats/, what reads and writes files   the goldens of that sort, then the tests that run the line (by_tests.py)
"""

from __future__ import annotations

import contextlib
import functools
import gc
import importlib
import importlib.abc
import importlib.util
import os
import signal
import sys
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from goldenstep import spec
from goldenstep.golden import files

from . import REFERENCE, Mutant, by_tests, lines_of
from .reach import runners

Document = dict[str, Any]
SECONDS = 60
"""A mutant that takes longer for one golden has killed itself."""
ALSO = ("config", "identifiers", "sgd", "adam")
"""What else may tell of a schedule."""
IN_PLACE = ("rules/", "clipping.py", "steps.py", *(file for file in by_tests.FILES if file not in by_tests.HELD))
"""Nothing holds what is in these modules but modules, under its name: what survives needs no other import."""
MADE = ("editions/tf2_", "schedules/", "wrappers/loss_scale_config.py")
"""Here classes are made of others, or of functions in tables: no mutant can take the place of what is loaded."""
TABLES = ("RULES", "SPARSE", "GRAPH", "GRAPH_SPARSE")
READ = 50
"""So many goldens are read before a process is forked; later ones by the few that come so far."""


def judges_of(mutant: Mutant) -> list[str]:
    """Ids of the goldens that may kill a mutant, the most telling ones first."""
    folder, _, name = mutant.file.removesuffix(".py").rpartition("/")
    graph = "_graph" in mutant.where
    if folder == "rules":
        return ranked(mutant.file, users(mutant.file, mutant.where), (name,), graph)
    if folder == "schedules":
        everywhere = frozenset(spec.editions())
        kinds = (("schedules",), ALSO)
        return [i for kind in (kinds[::-1] if graph else kinds) for i in ranked(mutant.file, everywhere, kind, graph)]
    if mutant.file in by_tests.FILES:
        return [*runners(mutant, others=False), *by_tests.judges_of(mutant)]
    return runners(mutant)


@functools.lru_cache(maxsize=8)
def ranked(file: str, editions: frozenset[str], kinds: tuple[str, ...], graph: bool) -> list[str]:
    """The goldens of some editions and kinds: first those of a graph, for its own, and what bears the file's name."""
    name = Path(file).stem.replace("_", "")
    found = [i for i in index() if i.split("/")[0] in editions and i.split("/")[1] in kinds]
    named = {i: name in i.replace(".", "").replace("_", "") for i in found}
    return sorted(found, key=lambda i: (graph and "/graph" not in i, not named[i], spread(i)))


def spread(identity: str) -> tuple[bool, int]:
    """Long runs and errors last; all others in an order that mixes them, the same in every process."""
    late = identity.split("/", 2)[2].startswith(("thousand", "refused", "fails", "gradient-of"))
    return late, zlib.crc32(identity.encode())


def users(file: str, where: str) -> frozenset[str]:
    """The editions whose tables name a function of a rule's file."""
    module = importlib.import_module("goldenstep.reference.rules." + file[6:-3])
    found = {
        edition
        for table in (getattr(module, name, {}) for name in TABLES)
        for edition, rules in table.items()
        if any(rule.__name__ == where for rule in rules.values())
    }
    return frozenset(found or spec.editions())


@functools.cache
def index() -> dict[str, tuple[Path, int]]:
    """Where the goldens are."""
    return files.index()


_goldens: dict[str, Document] = {}


def golden(identity: str) -> Document:
    """A golden by its id."""
    if identity not in _goldens:
        _goldens[identity] = files.parsed(*index()[identity])
    return _goldens[identity]


# ---- the trial ---------------------------------------------------------------------------------------------------


class Served(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives one module of the reference another source."""

    def __init__(self, mutant: Mutant) -> None:
        self.path = REFERENCE / mutant.file
        self.is_package = self.path.name == "__init__.py"
        named = mutant.file.removesuffix("/__init__.py").removesuffix(".py")
        self.name = "goldenstep.reference." + named.replace("/", ".")
        self.mutant = mutant

    def find_spec(self, name: str, path: Sequence[str] | None, target: Any = None) -> Any:
        """Only for the mutant's module."""
        if name != self.name:
            return None
        found = importlib.util.spec_from_loader(name, self, is_package=self.is_package)
        if found and self.is_package:
            found.submodule_search_locations = [str(self.path.parent)]
        return found

    def exec_module(self, module: Any) -> None:
        """Run the mutated source."""
        exec(compile(self.mutant.source, str(self.path), "exec"), module.__dict__)


def killer(mutant: Mutant, first: Sequence[str] = (), most: int | None = None) -> str:
    """Id of the golden or test that kills a mutant, "import" or "time" if it can't even run so far, or "".

    It lives and dies in a process of its own; `first` are asked before all others, of which no more than `most` goldens
    and as many tests.
    """
    found = asked(mutant, first)
    if found:  # by these, or it can't be imported: which lines goldens run needs not be known
        return found
    judges = [identity for identity in judges_of(mutant) if identity not in first]
    assert judges or first, f"no golden judges {mutant.file}, {mutant.where}"
    goldens = [identity for identity in judges if not by_tests.is_test(identity)]
    return asked(mutant, [*goldens[:most], *judges[len(goldens) :][:most]])


def asked(mutant: Mutant, judges: Sequence[str]) -> str:
    """The same of certain goldens."""
    reference_of(importlib.import_module("goldenstep.conformance.keras_shaped"))  # with all that is imported for it
    importlib.import_module("goldenstep.conformance.verdict")
    goldens = [identity for identity in judges if not by_tests.is_test(identity)]
    tests = [identity for identity in judges if by_tests.is_test(identity)]
    for identity in goldens[:READ]:
        golden(identity)
    for name in by_tests.TESTS if tests else ():
        importlib.import_module(name.removesuffix(".py").replace("/", "."))
    gc.freeze()
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        os.setpgid(0, 0)
        with open(os.devnull, "w") as nothing:
            os.dup2(nothing.fileno(), 1)
            os.dup2(nothing.fileno(), 2)
        signal.alarm(SECONDS)
        try:
            answer = trial(mutant, goldens, tests)
        except BaseException:  # it can't be imported, or breaks what asks it: it has not survived
            answer = "import"
        os.write(write, (answer or "survives").encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as pipe:
        answer = pipe.read()
    os.waitpid(child, 0)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)  # what it started and left behind
    return {"survives": "", "": "time"}.get(answer, answer)


def check(file: str, killers: Sequence[str]) -> None:
    """ValueError if a golden that killed a mutant of a file kills the file as it is, too, put in place as it was."""
    found = asked(Mutant(file, "", "", "", "", "".join(lines_of(file))), killers)
    if found:
        raise ValueError(f"{file}: {found} kills what is not changed")


@functools.cache
def reference_of(keras_shaped: Any) -> Any:
    """The reference as an implementation."""
    return keras_shaped.reference()


def trial(mutant: Mutant, judges: Sequence[str], tests: Sequence[str]) -> str:
    """Within the process: the first golden or test that is not passed, or ""."""
    served = Served(mutant)
    if mutant.file == by_tests.CHILD:  # nothing imports it
        return failed(mutant, judges, tests)
    constant = mutant.file in by_tests.FILES and mutant.where.isupper()  # a number, which others have imported
    if not constant and (not mutant.file.startswith(MADE) or mutant.file.endswith("/scalars.py")):
        put_in_place(served)
        found = failed(mutant, judges, tests)
        if found or mutant.file.startswith(IN_PLACE):
            return found
    # A table elsewhere may have kept what was there before.
    anew = ("goldenstep.reference", "goldenstep.conformance", "tests.test_", "tests.fuzz_")
    for name in [name for name in sys.modules if name.startswith(anew)]:
        del sys.modules[name]
    sys.meta_path.insert(0, served)
    return failed(mutant, judges, tests)


def failed(mutant: Mutant, judges: Sequence[str], tests: Sequence[str]) -> str:
    """The first golden, or else test, that the reference as it is loaded now does not pass, or ""."""
    with by_tests.served_to_child(mutant):
        return first_failed(judges) or (by_tests.first_failed(tests) if tests else "")


def first_failed(judges: Sequence[str]) -> str:
    """The first golden that the reference as it is loaded now does not pass, or ""."""
    keras_shaped = importlib.import_module("goldenstep.conformance.keras_shaped")
    verdict = importlib.import_module("goldenstep.conformance.verdict")
    implementation = reference_of(keras_shaped)
    try:
        for identity in judges:
            signal.alarm(SECONDS)
            known = golden(identity)
            found = verdict.judge(implementation, known["case"], known["trajectory"]).verdict
            if found not in (verdict.Verdict.EXACT, verdict.Verdict.WITHIN):
                return identity
        return ""
    finally:
        signal.alarm(0)


def put_in_place(served: Served) -> None:
    """Run the mutated source in its module; classes take the new methods, other modules the new functions."""
    module = sys.modules[served.name]
    before = dict(vars(module))
    served.exec_module(module)
    replaced = {}
    for name, old in before.items():
        new = vars(module)[name]
        if isinstance(old, type) and isinstance(new, type) and old is not new:
            take_methods(old, new)
            setattr(module, name, old)
        elif old is not new and not isinstance(old, str | int | float | dict):
            replaced[id(old)] = new
    ours = ("goldenstep.", "tests.test_", "tests.fuzz_")
    others = [m for name, m in list(sys.modules.items()) if name.startswith(ours) and m is not module]
    for other in others:
        for name, value in list(vars(other).items()):
            if id(value) in replaced:
                setattr(other, name, replaced[id(value)])


def take_methods(old: type, new: type) -> None:
    """The old class, which others hold, becomes like the new one; `super()` in a method means the old one."""
    for name, value in list(vars(new).items()):
        if name not in ("__dict__", "__weakref__", "__doc__", "__module__"):
            setattr(old, name, value)
        function = getattr(value, "__func__", getattr(value, "fget", value))
        for cell in getattr(function, "__closure__", None) or ():
            if cell.cell_contents is new:
                cell.cell_contents = old
