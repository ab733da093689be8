"""The rules: the same function if and only if the same bits, pure, short, and as their docstrings say."""

from __future__ import annotations

import ast
import importlib
import inspect
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from goldenstep import spec
from goldenstep.conformance.keras_shaped import reference
from goldenstep.conformance.verdict import Verdict, judge
from goldenstep.golden import files
from goldenstep.golden.compare import full_config, owners
from goldenstep.reference import bits
from goldenstep.spec.layout import facts

Rule = Callable[..., tuple[np.ndarray, ...]]
IMPLEMENTATION = reference()


def module(optimizer: str) -> ModuleType:
    return importlib.import_module(f"goldenstep.reference.rules.{optimizer.lower()}")


def distinct_rules(kind: str) -> Iterator[tuple[str, Rule]]:
    for optimizer in spec.optimizers():
        seen: list[Rule] = []
        for table in getattr(module(optimizer), kind, {}).values():
            for rule in table.values():
                if rule not in seen:
                    seen.append(rule)
                    yield optimizer, rule


KINDS = ("RULES", "SPARSE", "GRAPH", "GRAPH_SPARSE")
RULES = [(optimizer, kind, rule) for kind in KINDS for optimizer, rule in distinct_rules(kind)]
EACH = pytest.mark.parametrize(("optimizer", "kind", "rule"), RULES, ids=[f"{o}-{r.__name__}" for o, _, r in RULES])


def variants_of(golden: dict[str, Any]) -> set[str]:
    case = golden["case"]
    name = case["optimizer"]["class_name"]
    return {spec.variant(name, facts(name, full_config(case), owner)) for owner in owners(case)}


def takes_the_same(one: Rule, other: Rule) -> bool:
    """Could one rule stand for the other? Only if it takes the same slots."""

    def slots(rule: Rule) -> list[str]:
        parameters = list(inspect.signature(rule).parameters.values())
        return [p.name for p in parameters if p.kind is not p.KEYWORD_ONLY]

    return slots(one) == slots(other)


def agrees(
    optimizer: str, kind: str, edition: str, variant: str, rule: Rule | None, monkeypatch: pytest.MonkeyPatch
) -> bool:
    """Does the reference pass every golden of a variant with `rule` in the place of its own?

    Without a sparse rule the rows are made an array, for the dense one; without a rule of graphs it is the eager one.
    """
    with monkeypatch.context() as patch:
        patch.setitem(getattr(module(optimizer), kind)[edition], variant, rule)
        judged = 0
        for golden in files.goldens(files.path_of(edition, optimizer)):
            sparse, graph = "sparse" in golden["case"]["features"], golden["case"].get("mode") == "graph"
            if graph != kind.startswith("GRAPH") or (kind.endswith("SPARSE") and not sparse):
                continue
            if golden["case"]["events"] and variant in variants_of(golden):
                judged += 1
                record = judge(IMPLEMENTATION, golden["case"], golden["trajectory"])
                if record.verdict is not Verdict.EXACT:
                    return False
        assert judged, f"no golden of {edition} {optimizer} {variant}"
        return True


@EACH
def test_a_rule_has_the_bits_of_exactly_its_own_editions(
    optimizer: str, kind: str, rule: Rule, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = getattr(module(optimizer), kind)
    for variant in {v for table in tables.values() for v, r in table.items() if r is rule}:
        own = {edition for edition, table in tables.items() if table.get(variant) is rule}
        candidates = [e for e, table in tables.items() if variant in table and takes_the_same(rule, table[variant])]
        matched = {e for e in candidates if agrees(optimizer, kind, e, variant, rule, monkeypatch)}
        assert matched == own
        without = getattr(module(optimizer), {"GRAPH": "RULES", "GRAPH_SPARSE": "SPARSE"}.get(kind, ""), {})
        for edition in own if kind != "RULES" else ():
            eager = without.get(edition, {}).get(variant)
            assert not agrees(optimizer, kind, edition, variant, eager, monkeypatch)


@pytest.mark.parametrize("optimizer", spec.optimizers())
def test_a_rule_file_serves_every_edition_and_variant(optimizer: str) -> None:
    document = spec.optimizers()[optimizer]
    tables = module(optimizer).RULES
    others = [getattr(module(optimizer), kind, {}) for kind in KINDS[1:]]
    assert all(set(tables) == set(document["editions"]) >= set(other) for other in others)
    for table in (*tables.values(), *(table for other in others for table in other.values())):
        assert set(table) <= {variant["name"] for variant in document["variants"]}


@EACH
def test_the_docstring_table_names_the_rule(optimizer: str, kind: str, rule: Rule) -> None:
    if rule.__module__ == module(optimizer).__name__:
        assert rule.__name__ in (module(optimizer).__doc__ or "")


@EACH
def test_a_rule_is_short_and_flat(optimizer: str, kind: str, rule: Rule) -> None:
    (function,) = ast.parse(inspect.getsource(rule)).body
    assert isinstance(function, ast.FunctionDef)
    statements = function.body[1:]
    assert len(statements) <= 20, "a rule is about a dozen lines"
    branches = [node for node in ast.walk(function) if isinstance(node, ast.If | ast.IfExp)]
    assert len(branches) <= 1
    assert "edition" not in inspect.getsource(rule)


@EACH
def test_a_rule_leaves_its_inputs_alone(optimizer: str, kind: str, rule: Rule) -> None:
    edition = next(e for e, table in getattr(module(optimizer), kind).items() if rule in table.values())
    config = {name: entry["default"] for name, entry in spec.hyperparameters(optimizer, edition).items()}
    parameters = list(inspect.signature(rule).parameters.values())
    shape = (2, 3)
    stream = np.random.default_rng(7)
    documents = spec.optimizers()[optimizer]["slots"]
    shapes = {"variable": shape, "rows": shape[:-1], "columns": shape[1:], "scalar": ()}
    arrays = [stream.uniform(0.5, 1, shape).astype(np.float32) for _ in range(2)]
    arrays += [
        np.full(shapes[documents[p.name]["shape"]], 0.5, np.float32) if p.name != "indices" else np.array([1, 1])
        for p in parameters[2:]
        if p.kind is not p.KEYWORD_ONLY
    ]
    before = [array.copy() for array in arrays]
    given = {**config, "t": 3, "learning_rate": np.float32(0.1), "schedule_decay": 0.004}
    rule(*arrays, **{p.name: given[p.name] for p in parameters if p.kind is p.KEYWORD_ONLY})
    assert all(np.array_equal(a, b) for a, b in zip(arrays, before, strict=True))


def test_denormals_are_flushed_where_the_processor_sees_one() -> None:
    tiny = np.full(3, 1e-40, np.float32)
    zero, ones = np.zeros(3, np.float32), np.ones(3, np.float32)
    (squared,) = bits.run(lambda w, g: (w + g * g,), zero, np.full(3, 1e-20, np.float32))
    assert not squared.any()
    (difference,) = bits.run(lambda w, g: (w - g,), tiny, zero)
    assert not difference.any()
    (sum_,) = bits.run(lambda w, g: (w + g,), ones, tiny)
    assert np.array_equal(sum_, ones)
    (half,) = bits.run(lambda w, g: (w + g * 0.5,), np.zeros(3, np.float16), np.full(3, 1e-6, np.float16))
    assert half.dtype == np.float16
    assert half.all()
