"""A case of any kind becomes a golden, by the command that a failure prints."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from goldenstep import spec
from goldenstep.conformance.keras_shaped import reference
from goldenstep.conformance.replay import schema_of
from goldenstep.conformance.variations import known, names
from goldenstep.conformance.verdict import Verdict, judge
from goldenstep.golden import files
from goldenstep.golden.promote import promote

Document = dict[str, Any]
KINDS = ("lived", "graph", "wrappers", "methods", "own", "config", "identifiers", "weights", "resume", "pairs", "edges")


class AsTheReference:
    """In the place of a release: what the reference answers."""

    def __init__(self, release: str, python: str) -> None:
        self.release = release

    def __enter__(self) -> AsTheReference:
        return self

    def __exit__(self, *raised: object) -> None:
        pass

    def start(self) -> Document:
        """What a release says of itself."""
        return {"name": self.release, "versions": {"python": "3.11"}, "cpu": []}

    def run(self, case: Document) -> Document:
        """The trajectory of a case."""
        return reference().run(case)


@pytest.mark.parametrize("kind", KINDS)
def test_a_drawn_case_of_any_kind_becomes_a_golden(kind: str, tmp_path: Path) -> None:
    for name in names(kind, "keras3"):
        made = known(kind, "keras3", name)[0]
        drawn = {**made, "id": f"{made['id'].rpartition('/')[0]}/drawn"}
        spec.validate(drawn, schema_of(drawn), kind)
        with mock.patch("goldenstep.golden.record.OracleProcess", AsTheReference):
            golden = promote(drawn, f"of-{name.lower()}", sys.executable, tmp_path)
            assert {**golden["case"], "id": drawn["id"]} == drawn
            assert golden["case"]["id"] in files.index(tmp_path)
            assert judge(reference(), golden["case"], golden["trajectory"]).verdict is Verdict.EXACT
            with pytest.raises(files.GoldenError, match="is a golden already"):
                promote(drawn, f"of-{name.lower()}", sys.executable, tmp_path)
