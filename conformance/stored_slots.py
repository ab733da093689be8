"""The rules with each new slot rounded to the dtype that it is kept in, before the rule goes on with it.

What computes in float64 and keeps its state in the variables' dtype reads back what it has stored. That is another step
than one in float64 throughout where the rounding is no matter of a few units in the last place: where a square is too
small for float16, or too large for float32, and where two squares that are nearly the same are subtracted.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from types import CodeType, FunctionType, ModuleType
from typing import Any
from unittest import mock

import numpy as np

from goldenstep.reference import rules

NOT_SLOTS = {"w", "g", "indices"}
NAME = "stored_slot"


@contextlib.contextmanager
def storing(dtype: str, nudge: float = 0.0) -> Iterator[None]:
    """While it lasts, the reference's rules of float64 arrays round every slot that they assign to `dtype`.

    What is a denormal number there is moved by `nudge` times the distance to the next one.
    """
    info = np.finfo(dtype)

    def stored(x: Any) -> Any:
        if getattr(x, "dtype", None) != np.float64:
            return x
        with np.errstate(all="ignore"):
            kept = x.astype(dtype).astype(np.float64)
        return kept + nudge * float(info.smallest_subnormal) * (np.abs(kept) < info.tiny) if nudge else kept

    with contextlib.ExitStack() as stack:
        for module in modules():
            stack.enter_context(mock.patch.dict(module.__dict__, {NAME: stored}))
            for function, code in changed(module):
                stack.callback(setattr, function, "__code__", function.__code__)
                function.__code__ = code
        yield


@functools.cache
def modules() -> tuple[ModuleType, ...]:
    """The rule files of the reference."""
    return tuple(importlib.import_module(f"{rules.__name__}.{m.name}") for m in pkgutil.iter_modules(rules.__path__))


@functools.cache
def changed(module: ModuleType) -> tuple[tuple[FunctionType, CodeType], ...]:
    """Every function of a rule file that assigns slots, with its code as it stores them."""
    found = []
    for node in ast.parse(inspect.getsource(module)).body:
        if isinstance(node, ast.FunctionDef) and (slots := {a.arg for a in node.args.args} - NOT_SLOTS):
            names: dict[str, Any] = {}
            body = ast.fix_missing_locations(ast.Module([Storing(slots).visit(node)], []))
            exec(compile(body, inspect.getfile(module), "exec"), module.__dict__, names)
            found.append((getattr(module, node.name), names[node.name].__code__))
    return tuple(found)


class Storing(ast.NodeTransformer):
    """Wraps what is assigned to these names."""

    def __init__(self, slots: set[str]) -> None:
        self.slots = slots

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        """`m = x` becomes `m = stored_slot(x)`."""
        target = node.targets[0]
        if isinstance(target, ast.Name) and target.id in self.slots:
            node.value = ast.Call(ast.Name(NAME, ast.Load()), [node.value], [])
        return node
