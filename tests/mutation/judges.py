"""The trial of a mutant: which goldens are asked, and which of them kills it.

The judges of a file are goldens of every edition that comes by it, the most telling ones first:

    rules/NAME.py             those of the optimizer, of the editions whose tables name the function
    schedules/NAME.py         those of the schedule and of numbers of other types, then configs and identifiers
    wrappers/                 those of loss scaling, or of MultiOptimizer, then all other kinds
    formats/                  configs, identifiers, weights, files, resuming
    clipping.py ...           those of the feature that the file is about
    editions/                 those of SGD and Adam, which have a case for every option of a pipeline, then all
                              other kinds, then the other optimizers

But for rules, schedules and features no more than MOST are asked of each of these groups, spread over all of it.
"""

from __future__ import annotations

import ast
import functools
import gc
import importlib
import importlib.abc
import importlib.util
import os
import re
import signal
import sys
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from goldenstep import spec
from goldenstep.golden import files

from . import REFERENCE, Mutant

Document = dict[str, Any]
SECONDS = 60
"""A mutant that takes longer for one golden has killed itself."""
SHARED = ("sgd", "adam")
KINDS = ("own", "methods", "resume", "config", "weights", "identifiers", "files", "schedules", "multioptimizer")
LOSS_SCALES = ("lossscaleoptimizer", "lossscaleoptimizerv1")
DESCRIBING = ("config", "identifiers", "weights", "resume", "files", "methods", "own", *LOSS_SCALES, "multioptimizer")
IN_PLACE = ("rules/", "clipping.py", "steps.py")
"""Nothing holds what is in these modules but the modules themselves: what survives needs no other import."""
MADE = ("editions/tf2_", "schedules/")
"""Here classes are made of others, or of functions in tables: no mutant can take the place of what is loaded."""
MOST = 700
READ = 50
"""So many goldens are read before a process is forked; later ones by the few that come so far."""
FEATURES = {
    "clipping.py": "clipping",
    "constraints.py": "constraints",
    "slices.py": "sparse",
    "exclusion.py": "weight_decay",
}


def tiers(file: str) -> list[tuple[str, ...]]:
    """The groups of goldens that judge a file, by the second part of their ids, the most telling group first."""
    folder, _, name = file.removesuffix(".py").rpartition("/")
    if folder == "rules":
        return [(name,)]
    if folder == "schedules":
        return [("schedules",), ("config", "identifiers", *SHARED)]
    if folder == "wrappers":
        own = ("multioptimizer",) if name == "multi_optimizer" else LOSS_SCALES
        return [own, DESCRIBING]
    if folder == "formats":
        return [(kind,) for kind in DESCRIBING]
    others = tuple(optimizer.lower() for optimizer in spec.optimizers() if optimizer.lower() not in SHARED)
    return [SHARED, (*KINDS, *LOSS_SCALES), others]


@functools.lru_cache(maxsize=4)
def judges_of(file: str, where: str) -> list[str]:
    """Ids of the goldens that may kill a mutant of a function, the most telling ones first."""
    editions, found = editions_of(file, where), list[str]()
    for group in tiers(file):
        ids = [i for i in index() if i.split("/")[0] in editions and i.split("/")[1] in group]
        if file in FEATURES:
            ids = [i for i in ids if FEATURES[file] in features()[i]]
        ids.sort(key=lambda identity: rank(identity, file))
        found += ids if file in FEATURES or file.startswith(("rules/", "schedules/")) else ids[:MOST]
    return found


def rank(identity: str, file: str) -> tuple[bool, bool, int]:
    """First what bears the file's name; long runs and errors last; else spread over all of them."""
    slug, name = identity.split("/", 2)[2], Path(file).stem.replace("_", "")
    named = name in identity.replace(".", "").replace("_", "")
    late = slug.startswith(("thousand", "refused", "fails", "gradient-of"))
    return not named, late, hash_of(identity)


def hash_of(text: str) -> int:
    """A number that does not depend on the process."""
    return zlib.crc32(text.encode())


def editions_of(file: str, where: str) -> set[str]:
    """The editions whose road comes by a function: for a rule what the tables say, else what imports the file."""
    if file.startswith("rules/"):
        module = importlib.import_module("goldenstep.reference.rules." + file[6:-3])
        users = {
            edition
            for table in (module.RULES, getattr(module, "SPARSE", {}))
            for edition, rules in table.items()
            if any(rule.__name__ == where for rule in rules.values())
        }
        return users or set(spec.editions())
    found = {
        e for e in spec.editions() if file in reached(f"editions/{e.removesuffix('.legacy').replace('.', '_')}.py")
    }
    return found or set(spec.editions())  # what is imported by name, or by the judge


@functools.cache
def reached(file: str) -> frozenset[str]:
    """The files of the reference that a file imports, directly or not, with itself."""
    found, left = set[str](), [file]
    while left:
        one = left.pop()
        if one not in found and (REFERENCE / one).exists():
            found.add(one)
            left += imported(one)
    return frozenset(found)


def imported(file: str) -> Iterator[str]:
    """The files of the reference that may be what a file imports."""
    package = ["", *file.split("/")[:-1]]
    for node in ast.walk(ast.parse((REFERENCE / file).read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = [*package[: len(package) - node.level + 1], *(node.module.split(".") if node.module else [])]
            for parts in (base, *([*base, name.name] for name in node.names)):
                path = "/".join(part for part in parts if part)
                yield from (f"{path}.py", f"{path}/__init__.py".lstrip("/"))


@functools.cache
def index() -> dict[str, tuple[Path, int]]:
    """Where the goldens are."""
    return files.index()


@functools.cache
def features() -> dict[str, list[str]]:
    """The features of every golden, as the text of its line has them."""
    texts = {path: path.read_text("utf-8").splitlines() for path in files.paths()}
    return {
        identity: re.findall(r'"(\w+)"', texts[path][line].partition('"features":[')[2].partition("]")[0])
        for identity, (path, line) in index().items()
    }


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
        self.name = "goldenstep.reference." + mutant.file.removesuffix(".py").replace("/", ".")
        self.mutant = mutant

    def find_spec(self, name: str, path: Sequence[str] | None, target: Any = None) -> Any:
        """Only for the mutant's module."""
        return importlib.util.spec_from_loader(name, self) if name == self.name else None

    def exec_module(self, module: Any) -> None:
        """Run the mutated source."""
        exec(compile(self.mutant.source, str(REFERENCE / self.mutant.file), "exec"), module.__dict__)


def killer(mutant: Mutant, first: Sequence[str] = ()) -> str:
    """Id of the golden that kills a mutant, "import" or "time" if it can't even run so far, or "" if it survives.

    It lives and dies in a process of its own; `first` are the goldens to try before all others.
    """
    reference_of(importlib.import_module("goldenstep.conformance.keras_shaped"))  # with all that is imported for it
    importlib.import_module("goldenstep.conformance.verdict")
    judges = judges_of(mutant.file, mutant.where)
    assert judges, f"no golden judges {mutant.file}, {mutant.where}"
    for identity in [*first, *judges[:READ]]:
        golden(identity)
    gc.freeze()
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        with open(os.devnull, "w") as nothing:
            os.dup2(nothing.fileno(), 2)
        signal.alarm(SECONDS)
        try:
            answer = trial(mutant, [*first, *(i for i in judges if i not in first)])
        except BaseException:  # it can't be imported, or breaks what asks it: it has not survived
            answer = "import"
        os.write(write, (answer or "survives").encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as pipe:
        answer = pipe.read()
    os.waitpid(child, 0)
    return {"survives": "", "": "time"}.get(answer, answer)


@functools.cache
def reference_of(keras_shaped: Any) -> Any:
    """The reference as an implementation."""
    return keras_shaped.reference()


def trial(mutant: Mutant, judges: Sequence[str]) -> str:
    """Within the process: the first golden that is not passed, or ""."""
    served = Served(mutant)
    if not mutant.file.startswith(MADE) or mutant.file.endswith("/scalars.py"):
        put_in_place(served)
        found = first_failed(judges)
        if found or mutant.file.startswith(IN_PLACE):
            return found
    anew = ("goldenstep.reference", "goldenstep.conformance")  # a table elsewhere may have kept what was there before
    for name in [name for name in sys.modules if name.startswith(anew)]:
        del sys.modules[name]
    sys.meta_path.insert(0, served)
    return first_failed(judges)


def first_failed(judges: Sequence[str]) -> str:
    """The first golden that the reference as it is loaded now does not pass, or ""."""
    keras_shaped = importlib.import_module("goldenstep.conformance.keras_shaped")
    verdict = importlib.import_module("goldenstep.conformance.verdict")
    implementation = reference_of(keras_shaped)
    for identity in judges:
        signal.alarm(SECONDS)
        known = golden(identity)
        found = verdict.judge(implementation, known["case"], known["trajectory"]).verdict
        if found not in (verdict.Verdict.EXACT, verdict.Verdict.WITHIN):
            return identity
    return ""


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
    others = [m for name, m in list(sys.modules.items()) if name.startswith("goldenstep.") and m is not module]
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
