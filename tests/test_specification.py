"""Every document satisfies its schema, every schema is closed, and what must be refused is refused."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from goldenstep import spec
from goldenstep.golden import files
from goldenstep.golden.record import cases_to_record, jobs
from goldenstep.spec import wrapper as wrapper_spec

Document = dict[str, Any]
RELEASES = sorted({document["release"] for document in spec.editions().values()})
JOBS = [job for release in RELEASES for job in jobs(release)]


@pytest.mark.parametrize("name", spec.optimizers())
def test_an_optimizer_satisfies_its_schema(name: str) -> None:
    spec.validate(spec.optimizers()[name], "optimizer", name)


@pytest.mark.parametrize("name", spec.editions())
def test_an_edition_satisfies_its_schema(name: str) -> None:
    spec.validate(spec.editions()[name], "edition", name)


@pytest.mark.parametrize("name", wrapper_spec.wrappers())
def test_a_wrapper_satisfies_its_schema(name: str) -> None:
    spec.validate(wrapper_spec.wrappers()[name], "wrapper", name)


def objects(schema: Any, place: str) -> Iterator[tuple[str, Document]]:
    """Every object schema with properties inside a schema."""
    if isinstance(schema, dict):
        if schema.get("type") == "object" and "properties" in schema:
            yield place, schema
        for key, value in schema.items():
            yield from objects(value, f"{place}.{key}")
    elif isinstance(schema, list):
        for index, value in enumerate(schema):
            yield from objects(value, f"{place}[{index}]")


OPEN = {"case.properties.optimizer.properties.config"}


@pytest.mark.parametrize("name", spec.schemas())
def test_every_object_in_a_schema_is_closed(name: str) -> None:
    found = list(objects(spec.schemas()[name], name))
    assert found
    left_open = [place for place, schema in found if "additionalProperties" not in schema and place not in OPEN]
    assert left_open == []


def test_clause_ids_are_unique_and_every_clause_has_a_case() -> None:
    documents = {**spec.optimizers(), **spec.editions(), **wrapper_spec.wrappers()}
    clauses = [(clause["id"], name) for name, document in documents.items() for clause in document["clauses"]]
    assert len({identity for identity, _ in clauses}) == len(clauses)
    covered = {
        clause for path in files.paths() for golden in files.goldens(path) for clause in golden["case"]["clauses"]
    }
    assert {identity for identity, _ in clauses} - covered == set()


@pytest.mark.parametrize(("edition", "name"), JOBS)
def test_recorded_cases_are_the_ones_that_the_specification_gives(edition: str, name: str) -> None:
    """Those of an optimizer, a wrapper or a kind, and the promoted."""
    recorded = [golden["case"] for golden in files.goldens(files.path_of(edition, name))]
    assert recorded == list(cases_to_record(edition, name))


def test_every_flag_is_used_and_explained() -> None:
    used = {flag for path in files.paths() for golden in files.goldens(path) for flag in golden["case"]["flags"]}
    assert used == set(spec.flags())


def compiled(schema: str) -> jsonschema_rs.Draft202012Validator:
    """A schema for thousands of documents: jsonschema takes two minutes over all goldens, this one a second."""
    registry = jsonschema_rs.Registry([(f"{name}.schema.json", document) for name, document in spec.schemas().items()])
    return jsonschema_rs.Draft202012Validator(spec.schemas()[schema], registry=registry)


def test_goldens_satisfy_their_schema() -> None:
    provenance, golden = compiled("provenance"), compiled("golden")
    assert files.paths()
    for path in files.paths():
        provenance.validate(files.parsed(path, 0))
        for document in files.goldens(path):
            assert golden.is_valid(document), document["case"]["id"]
        spec.validate(document, "golden", document["case"]["id"])


def test_every_id_is_in_the_lock_file_once() -> None:
    locked = files.locked_ids()
    assert len(set(locked)) == len(locked)
    assert set(files.index()) <= set(locked)


def golden() -> Document:
    """Some golden, to be spoiled."""
    return copy.deepcopy(next(files.goldens(files.path_of("keras3", "Adam"))))


def unknown_key(document: Document) -> None:
    document["case"]["learning_speed"] = 1


def missing_variables(document: Document) -> None:
    del document["case"]["variables"]


def unknown_edition(document: Document) -> None:
    document["case"]["edition"] = "tf2.99"


def bare_infinity(document: Document) -> None:
    document["case"]["variables"][0]["value"]["values"][0] = "inf"


def unknown_dtype(document: Document) -> None:
    document["case"]["variables"][0]["value"]["dtype"] = "float31"


def negative_shape(document: Document) -> None:
    document["case"]["variables"][0]["value"]["shape"] = [-1]


def two_kinds_of_event(document: Document) -> None:
    document["case"]["events"][0]["repeat"] = 2


def step_zero(document: Document) -> None:
    document["trajectory"]["steps"][0]["step"] = 0


def no_state(document: Document) -> None:
    del document["trajectory"]["steps"][0]["state"]


def unknown_feature(document: Document) -> None:
    document["case"]["features"] = ["telepathy"]


def spaced_id(document: Document) -> None:
    document["case"]["id"] = "keras3/adam/with space"


SPOILERS: list[Callable[[Document], None]] = [
    unknown_key, missing_variables, unknown_edition, bare_infinity, unknown_dtype, negative_shape,
    two_kinds_of_event, step_zero, no_state, unknown_feature, spaced_id,
]  # fmt: skip


@pytest.mark.parametrize("spoil", SPOILERS)
def test_a_spoiled_golden_is_refused(spoil: Callable[[Document], None]) -> None:
    document = golden()
    spec.validate(document, "golden", "unspoiled")
    spoil(document)
    assert not compiled("golden").is_valid(document)
    with pytest.raises(spec.SpecificationError, match="spoiled: golden"):
        spec.validate(document, "golden", "spoiled")


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("slots", {}),
        ("hyperparameters", []),
        ("clauses", []),
        ("variants", []),
        ("editions", {"tf3": {}}),
        ("colour", "red"),
    ],
)
def test_a_spoiled_optimizer_is_refused(place: str, value: Any) -> None:
    document = {**spec.optimizers()["Adam"], place: value}
    if place == "slots":
        document["slots"] = {"m": {"meaning": "no unit, no shape"}}
    with pytest.raises(spec.SpecificationError, match="spoiled: optimizer"):
        spec.validate(document, "optimizer", "spoiled")


def test_a_broken_golden_file_is_named_with_its_line(tmp_path: Path) -> None:
    broken = tmp_path / "keras3" / "adam.jsonl"
    broken.parent.mkdir()
    broken.write_text(json.dumps({"provenance": {}}) + '\n{"case":{"id":"keras3/adam/x", oops\n')
    with pytest.raises(files.GoldenError, match=r"adam\.jsonl, line 2: expected a JSON object"):
        files.parsed(*files.index(tmp_path)["keras3/adam/x"])


def test_a_golden_id_that_stands_twice_is_refused(tmp_path: Path) -> None:
    twice = tmp_path / "keras3" / "adam.jsonl"
    twice.parent.mkdir()
    twice.write_text('{"provenance":{}}\n' + '{"case":{"id":"keras3/adam/x"}}\n' * 2)
    with pytest.raises(files.GoldenError, match="stands twice"):
        files.index(tmp_path)
