"""What a failure shows: the first divergence, the line that reruns it, and a standalone script."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from goldenstep.golden.compare import unrolled

if TYPE_CHECKING:
    from .implementations import Implementation
    from .verdict import Record

Document = dict[str, Any]
RERUN = "pytest --pyargs goldenstep.conformance --impl={name} --case='{id}'"


def failure(implementation: Implementation, golden: Document, record: Record) -> str:
    """The text of a failed case."""
    lines = [
        f"{record.id}: {record.verdict.value}",
        f"  {record.reason}",
        f"  clauses: {', '.join(record.clauses) or '-'}",
        "",
        "run this case alone:",
        "  " + RERUN.format(name=implementation.name, id=record.id),
    ]
    code = getattr(implementation, "code", None)
    if code and golden["case"]["edition"] in code["namespaces"]:
        lines += [
            "",
            "without goldenstep:",
            *("  " + line for line in script(code, golden["case"], record).splitlines()),
        ]
    return "\n".join(lines)


def script(code: Document, case: Document, record: Record) -> str:
    """About ten lines of Python that show the divergence with nothing but the implementation and numpy.

    `code` has the implementation's own words: `imports`, `namespaces` by edition, `variable`, `tensor`.
    """
    config = ", ".join(f"{name}={value!r}" for name, value in case["optimizer"]["config"].items())
    last = record.divergence.step if record.divergence and record.divergence.step else 10
    applied = [event["apply"] for event in unrolled(case["events"])][:last]
    values = [literal(v["value"]["values"], v["value"]) for v in case["variables"]]
    variables = [
        code["variable"].format(value=value, name=v["name"]) for value, v in zip(values, case["variables"], strict=True)
    ]
    gradients = [
        "[" + ", ".join(shown(g, v["value"], code) for g, v in zip(gs, case["variables"], strict=True)) + "]"
        for gs in applied
    ]
    divergence = record.divergence
    remark = f"  # {divergence.where}: expected {divergence.expected}" if divergence else ""
    return "\n".join(
        [
            *code["imports"],
            f"optimizer = {code['namespaces'][case['edition']]}.{case['optimizer']['class_name']}({config})",
            f"variables = [{', '.join(variables)}]",
            *(f"optimizer.apply_gradients(list(zip({g}, variables)))" for g in gradients),
            f"print([v.numpy() for v in variables], optimizer.variables){remark}",
        ]
    )


def literal(values: list[Any], like: Document) -> str:
    """A numpy array as source text."""
    numbers = (
        json.dumps(values).replace('"NaN"', "np.nan").replace('"Infinity"', "np.inf").replace('"-Infinity"', "-np.inf")
    )
    return f"np.array({numbers}, {like['dtype']!r}).reshape({tuple(like['shape'])})"


def shown(gradient: Any, variable: Document, code: Document) -> str:
    """A gradient of an apply event as source text."""
    if gradient is None:
        return "None"
    like = gradient if isinstance(gradient, dict) else variable
    values = gradient["values"] if isinstance(gradient, dict) else gradient
    return str(code["tensor"].format(value=literal(values, like)))
