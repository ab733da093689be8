"""Generic mutation: every operator, constant and statement of the reference, changed one at a time.

    python -m tests.mutation                          all of them: about an hour on two cores
    python -m tests.mutation rules/adam.py            those of a file
    python -m tests.mutation --sample 120             evenly chosen ones, the same in every run

A mutant is killed by the first golden of its optimizer that it does not pass.  One that survives is a gap in the
goldens, unless equivalent.toml says why it is none; an entry there that no mutant matches is an error, too.
"""

from __future__ import annotations

import ast
import functools
import importlib.abc
import importlib.util
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomllib
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator

from goldenstep import spec
from goldenstep.golden import files

Document = dict[str, Any]
REFERENCE = Path(spec.__file__).parent.parent / "reference"
EQUIVALENT = Path(__file__).parent / "equivalent.toml"
SHARED = ("sgd", "adam")
"""Whose goldens judge what all optimizers have in common: they have a case for every option of a pipeline."""
SWAPS = ("Add_Sub", "Sub_Add", "Mul_Div", "Div_Mul", "Add_Mul", "Mul_Add", "FloorDiv_Mul", "Mod_Mul", "Pow_Mul")
COMPARISONS = ("Lt_LtE", "LtE_Lt", "Gt_GtE", "GtE_Gt", "Lt_Gt", "Gt_Lt", "Eq_NotEq", "NotEq_Eq", "Is_IsNot", "IsNot_Is")
OPERATORS = [
    *(f"core/ReplaceBinaryOperator_{swap}" for swap in SWAPS),
    *(f"core/ReplaceComparisonOperator_{swap}" for swap in COMPARISONS),
    *("core/ReplaceUnaryOperator_Delete_USub", "core/ReplaceUnaryOperator_Delete_Not", "core/AddNot"),
    *("core/NumberReplacer", "core/ReplaceAndWithOr", "core/ReplaceOrWithAnd", "core/ZeroIterationForLoop"),
    *("core/ReplaceTrueWithFalse", "core/ReplaceFalseWithTrue"),
]
SECONDS = 60
"""A mutant that takes longer has killed itself."""


@dataclass(frozen=True)
class Mutant:
    """A file of the reference with one change."""

    file: str
    operator: str
    before: str
    after: str
    source: str


def targets() -> list[str]:
    """The files that are mutated, relative to reference/."""
    found = [*REFERENCE.glob("rules/*.py"), *REFERENCE.glob("schedules/*.py"), *REFERENCE.glob("editions/*.py")]
    found += [REFERENCE / name for name in ("clipping.py", "constraints.py", "slices.py", "steps.py", "exclusion.py")]
    return sorted(path.relative_to(REFERENCE).as_posix() for path in found if path.name != "__init__.py")


def mutants(file: str) -> Iterator[Mutant]:
    """Every mutant of a file, each changed text once."""
    source = (REFERENCE / file).read_text("utf-8")
    seen = {source}
    for operator, text in [*from_library(source), *without_statements(source), *with_operands_exchanged(source)]:
        before, after = changed_line(source, text)
        if text not in seen and before != after and not before.startswith(("from ", "import ", '"""')):
            seen.add(text)
            yield Mutant(file, operator, before, after, text)


def from_library(source: str) -> Iterator[tuple[str, str]]:
    """What Cosmic Ray's operators make of a source."""
    for name in OPERATORS:
        operator, occurrence = get_operator(name)(), 0
        while True:
            text = mutate_code(source.encode(), operator, occurrence)
            if text is None:
                break
            yield name.removeprefix("core/"), text.decode() if isinstance(text, bytes) else text
            occurrence += 1


def without_statements(source: str) -> Iterator[tuple[str, str]]:
    """Each assignment and each call that stands alone left out."""
    lines = source.splitlines(keepends=True)
    for node in ast.walk(ast.parse(source)):
        for statement in getattr(node, "body", []) if isinstance(node, ast.FunctionDef | ast.If | ast.For) else []:
            text = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
            if isinstance(statement, ast.Assign | ast.AugAssign | ast.Expr) and not text and statement.end_lineno:
                kept = " " * statement.col_offset + "pass\n"
                yield "DropStatement", "".join([*lines[: statement.lineno - 1], kept, *lines[statement.end_lineno :]])


def with_operands_exchanged(source: str) -> Iterator[tuple[str, str]]:
    """`b - a` for `a - b`, `b / a` for `a / b`, and `b if not x else a` where both are on one line."""
    lines = source.splitlines(keepends=True)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub | ast.Div) and node.lineno == node.end_lineno:
            sign = "-" if isinstance(node.op, ast.Sub) else "/"
            line = lines[node.lineno - 1]
            exchanged = f"(({ast.unparse(node.right)}) {sign} ({ast.unparse(node.left)}))"
            text = line[: node.col_offset] + exchanged + line[node.end_col_offset :]
            yield "ExchangeOperands", "".join([*lines[: node.lineno - 1], text, *lines[node.lineno :]])


def changed_line(source: str, text: str) -> tuple[str, str]:
    """The first line that differs, before and after, without its indentation."""
    for one, other in zip(source.splitlines(), text.splitlines(), strict=False):
        if one != other:
            return one.strip(), other.strip()
    return "", ""


# ---- the trial ---------------------------------------------------------------------------------------------------


@functools.lru_cache(maxsize=2)
def judges_of(file: str) -> list[str]:
    """Ids of the goldens that may kill a mutant of a file, the most telling ones first."""
    kind, _, name = file.rpartition("/")
    names = (name.removesuffix(".py"),) if kind == "rules" else ("schedules",) if kind == "schedules" else SHARED
    editions = list(spec.editions())
    if kind == "editions" and name.removesuffix(".py").replace("_", ".") in editions:
        release = name.removesuffix(".py").replace("_", ".")
        editions = [e for e in editions if e.removesuffix(".legacy") == release]
    found = [i for i in index() if i.split("/")[0] in editions and i.split("/")[1] in names]
    if kind == "schedules":
        own = name.removesuffix(".py").replace("_", "")
        found = [i for i in found if own in (i.split("/")[2], "scalars")] or found
    return sorted(found, key=rank)


@functools.lru_cache(maxsize=2)
def goldens_of(file: str) -> dict[str, Document]:
    """The goldens themselves, read before any process is forked."""
    return {identity: files.parsed(*index()[identity]) for identity in judges_of(file)}


def rank(identity: str) -> tuple[bool, int]:
    """Long runs and errors last; else cases that are spread over the whole file, not the first ones of it."""
    slug = identity.split("/", 2)[2]
    return slug.startswith(("thousand", "refused", "fails")), hash_of(identity)


def hash_of(text: str) -> int:
    """A number that does not depend on the process."""
    return int.from_bytes(text.encode()[-8:], "big") * 2654435761 % 2**32


_index: dict[str, tuple[Path, int]] = {}


def index() -> dict[str, tuple[Path, int]]:
    """Where the goldens are."""
    if not _index:
        _index.update(files.index())
    return _index


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
    assert not any(name.startswith("goldenstep.reference") for name in sys.modules), "the reference is loaded already"
    goldens_of(mutant.file)
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        signal.alarm(SECONDS)
        with open(os.devnull, "w") as nothing:
            os.dup2(nothing.fileno(), 2)
        try:
            answer = trial(mutant, first)
        except BaseException:  # whatever a mutant raises here, it has not survived
            answer = "import"
        os.write(write, (answer or "survives").encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as pipe:
        answer = pipe.read()
    os.waitpid(child, 0)
    return {"survives": "", "": "time"}.get(answer, answer)


def trial(mutant: Mutant, first: Sequence[str]) -> str:
    """Within the process: the first golden that is not passed, or ""."""
    from goldenstep.conformance.keras_shaped import reference
    from goldenstep.conformance.verdict import Verdict, judge

    sys.meta_path.insert(0, Served(mutant))
    implementation = reference()
    for identity in [*first, *(i for i in judges_of(mutant.file) if i not in first)]:
        golden = goldens_of(mutant.file)[identity]
        verdict = judge(implementation, golden["case"], golden["trajectory"]).verdict
        if verdict not in (Verdict.EXACT, Verdict.WITHIN):
            return identity
    return ""


# ---- what is known to be equivalent ------------------------------------------------------------------------------


def equivalents() -> list[Document]:
    """The mutants that survive and may, each with its reason."""
    return list(tomllib.loads(EQUIVALENT.read_text("utf-8")).get("mutant", []))


def known(mutant: Mutant) -> Document | None:
    """The entry that explains a mutant."""
    return next(
        (
            e
            for e in equivalents()
            if (e["file"], e["before"], e["after"]) == (mutant.file, mutant.before, mutant.after)
        ),
        None,
    )
