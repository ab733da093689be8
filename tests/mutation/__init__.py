"""Generic mutation: every operator, constant and statement of the reference, changed one at a time.

    python -m tests.mutation                          of every settled file: half an hour on two cores
    python -m tests.mutation editions/keras3.py       of a file of reference/, settled or not
    python -m tests.mutation --sample 120             one each of 120 functions of settled files, always the same

A mutant is killed by the first golden that it does not pass (judges.py says which are asked).  One that survives is a
gap in the goldens, unless equivalent.toml says why it is none; an entry there that fits no mutant is an error, too.
A file is settled if no mutant of it survives without a reason: docs/mutation.md.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator

from goldenstep import spec

REFERENCE = Path(spec.__file__).parent.parent / "reference"
FOLDERS = ("rules", "schedules", "wrappers")
ALONE = (
    *("clipping.py", "constraints.py", "exclusion.py", "slices.py", "steps.py"),
    *("editions/optimizer_v2.py", "editions/state_keras2.py", "editions/state_keras3.py", "editions/keras3.py"),
    *("editions/__init__.py", "schedules/__init__.py"),
    *("editions/tf2_4.py", "editions/tf2_9.py", "editions/tf2_12.py", "editions/tf2_15.py", "editions/state_v2.py"),
    *("formats/config.py", "formats/custom.py", "formats/by_class_name.py", "formats/by_module.py"),
    *("formats/identifiers.py", "formats/weights.py", "optimizer.py"),
    *("formats/object_graph.py", "formats/protobuf.py", "formats/saved.py", "formats/slices_of_tensors.py"),
    *("formats/bundle.py", "formats/checkpoint.py", "formats/checkpoint_writer.py"),
    *("formats/table.py", "formats/files.py", "formats/hdf5.py", "formats/hdf5_child.py"),
    *("formats/crc32c.py", "formats/keras_archive.py", "formats/convert.py"),
)
SWAPS = ("Add_Sub", "Sub_Add", "Mul_Div", "Div_Mul", "Add_Mul", "Mul_Add", "FloorDiv_Mul", "Mod_Mul", "Pow_Mul")
COMPARISONS = ("Lt_LtE", "LtE_Lt", "Gt_GtE", "GtE_Gt", "Lt_Gt", "Gt_Lt", "Eq_NotEq", "NotEq_Eq", "Is_IsNot", "IsNot_Is")
OPERATORS = [
    *(f"core/ReplaceBinaryOperator_{swap}" for swap in SWAPS),
    *(f"core/ReplaceComparisonOperator_{swap}" for swap in COMPARISONS),
    *("core/ReplaceUnaryOperator_Delete_USub", "core/ReplaceUnaryOperator_Delete_Not", "core/AddNot"),
    *("core/NumberReplacer", "core/ReplaceAndWithOr", "core/ReplaceOrWithAnd", "core/ZeroIterationForLoop"),
    *("core/ReplaceTrueWithFalse", "core/ReplaceFalseWithTrue"),
]


class Mutant(NamedTuple):
    """A file of the reference with one change: the first line that differs, and the function it is in, or ""."""

    file: str
    where: str
    operator: str
    before: str
    after: str
    source: str

    def __str__(self) -> str:
        return f"{self.file}, {self.where or 'module'}: {self.operator}\n  - {self.before}\n  + {self.after}"


def targets() -> list[str]:
    """The settled files, relative to reference/."""
    found = [path for folder in FOLDERS for path in REFERENCE.glob(f"{folder}/*.py") if path.name != "__init__.py"]
    found += [REFERENCE / name for name in ALONE]
    return sorted(path.relative_to(REFERENCE).as_posix() for path in found)


class Piece(NamedTuple):
    """A statement of a module or of a class, which is mutated by itself: its lines, from 0, and its indentation."""

    file: str
    where: str
    start: int
    stop: int
    indent: int


@functools.cache
def lines_of(file: str) -> list[str]:
    """The lines of a file of the reference."""
    return (REFERENCE / file).read_text("utf-8").splitlines(keepends=True)


@functools.cache
def pieces(file: str) -> list[Piece]:
    """The statements of a file but its imports and docstrings."""

    def found(body: list[ast.stmt], name: str) -> Iterator[Piece]:
        for node in body:
            own = f"{name}.{getattr(node, 'name', '')}".strip(".")
            if isinstance(node, ast.ClassDef):
                yield from found(node.body, own)
            elif not isinstance(node, ast.Import | ast.ImportFrom) and not is_text(node):
                first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))]) - 1
                yield Piece(file, own, first, node.end_lineno or node.lineno, node.col_offset)

    return list(found(ast.parse("".join(lines_of(file))).body, ""))


def mutants(file: str) -> list[Mutant]:
    """Every mutant of a file."""
    return [mutant for piece in pieces(file) for mutant in mutants_of(piece)]


@functools.lru_cache(maxsize=1000)
def mutants_of(piece: Piece) -> tuple[Mutant, ...]:
    """Every mutant of a piece, each changed text once."""
    lines, inside = lines_of(piece.file), " " * piece.indent
    own = "".join(line.removeprefix(inside) for line in lines[piece.start : piece.stop])
    seen, made = {own}, []
    for operator, text in [*from_library(own), *without_statements(own), *with_operands_exchanged(own)]:
        before, after = changed_line(own, text)
        if text not in seen and before != after and not in_signature(operator, before) and compiles(text):
            seen.add(text)
            changed = [inside + line if line.strip() else line for line in text.splitlines(keepends=True)]
            source = "".join([*lines[: piece.start], *changed, *lines[piece.stop :]])
            made.append(Mutant(piece.file, piece.where, operator, before, after, source))
    return tuple(made)


def in_signature(operator: str, line: str) -> bool:
    """Is it the `*` between parameters that was taken for an operator?"""
    signature = line.startswith(("def ", "*,", "self, ", "step, *"))
    return operator.startswith("ReplaceBinaryOperator") and signature


def compiles(source: str) -> bool:
    """Is it Python? `f(/xs)` for `f(*xs)` is not."""
    try:
        ast.parse(source)
    except SyntaxError:
        return False
    return True


def from_library(source: str) -> Iterator[tuple[str, str]]:
    """What Cosmic Ray's operators make of a source."""
    for name in OPERATORS:
        operator, occurrence = get_operator(name)(), 0
        while text := mutate_code(source.encode(), operator, occurrence):
            yield name.removeprefix("core/"), text.decode() if isinstance(text, bytes) else text
            occurrence += 1


def is_text(node: ast.AST) -> bool:
    """Is the statement a docstring?"""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def without_statements(source: str) -> Iterator[tuple[str, str]]:
    """Each assignment and each call that stands alone left out."""
    lines = source.splitlines(keepends=True)
    for node in ast.walk(ast.parse(source)):
        for statement in getattr(node, "body", []) if isinstance(node, ast.FunctionDef | ast.If | ast.For) else []:
            if isinstance(statement, ast.Assign | ast.AugAssign | ast.Expr) and not is_text(statement):
                kept = " " * statement.col_offset + "pass\n"
                yield "DropStatement", "".join([*lines[: statement.lineno - 1], kept, *lines[statement.end_lineno :]])


def with_operands_exchanged(source: str) -> Iterator[tuple[str, str]]:
    """`b - a` for `a - b` and `b / a` for `a / b`, where they are on one line."""
    lines = source.splitlines(keepends=True)
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.BinOp) or node.lineno != node.end_lineno:
            continue
        if isinstance(node.op, ast.Sub | ast.Div) and ast.dump(node.left) != ast.dump(node.right):
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
