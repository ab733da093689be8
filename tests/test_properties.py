"""The properties are on trial: what they are drawn from, where they hold, and that failures can be replayed."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import Phase, given, reject, seed, settings

from goldenstep import spec
from goldenstep.conformance.command_line import main
from goldenstep.conformance.errata import as_documented
from goldenstep.conformance.keras_shaped import reference
from goldenstep.conformance.lives import Calls, Life, in_release, lives, schedule_lives
from goldenstep.conformance.pristine import pristine
from goldenstep.conformance.properties import Broken, Inapplicable, Property, Subject, registered
from goldenstep.conformance.replay import schema_of
from goldenstep.conformance.strategies import Drawing, cases
from goldenstep.conformance.variations import Varied, known
from goldenstep.reference import steps

Document = dict[str, Any]
PROPERTIES = registered()
EXCEPTIONS = [
    (prop.id, edition, optimizer)
    for prop in PROPERTIES.values()
    for but in prop.but
    for edition in but.editions
    for optimizer in but.optimizers
    if edition in prop.editions and optimizer in spec.available(edition) and optimizer in prop.optimizers
]


@pytest.mark.parametrize("edition", spec.editions())
def test_a_drawn_case_is_a_case_and_is_taken(edition: str) -> None:
    """What the strategies draw fits the schema, and the reference does not refuse it."""
    implementation = reference()

    @settings(settings.get_profile("goldenstep"), max_examples=20)
    @seed(zlib.crc32(edition.encode()))
    @given(cases(edition, tuple(spec.available(edition)), Drawing(missing=True, extreme=True)))
    def check(case: Document) -> None:
        spec.validate(case, "case", "drawn")
        assert "error" not in implementation.run(case)

    check()


@pytest.mark.parametrize("edition", spec.editions())
def test_a_drawn_life_is_a_case(edition: str) -> None:
    """What happens in a drawn life fits the schema; all kinds of events happen; nothing ends it before its time."""
    implementation, kinds = reference(), set[str]()

    @settings(settings.get_profile("goldenstep"), max_examples=60)
    @seed(zlib.crc32(edition.encode()))
    @given(lives(edition, tuple(spec.available(edition)), Life()))
    def check(case: Document) -> None:
        spec.validate(case, "case", "drawn")
        trajectory = implementation.run(case)
        kinds.update(kind for event in case["events"] for kind in event.get("attempt", event))
        kinds.update("sparse" for event in case["events"] if "'indices'" in str(event))
        assert "error" not in trajectory or "set" in str(case["events"]) or "indices" in str(case["events"])

    check()
    assert {"apply", "of", "set", "set_iterations", "sparse"} <= kinds


SHORT = [prop for prop in PROPERTIES.values() if isinstance(prop.drawing, Life) and prop.drawing.seeded]


@pytest.mark.parametrize("prop", SHORT, ids=[prop.id for prop in SHORT])
def test_a_life_in_a_corner_is_a_case(prop: Property) -> None:
    """It fits the schema, the reference plays it, and most of them do something to a variable."""
    implementation, moved = reference(), []

    @settings(settings.get_profile("goldenstep"), max_examples=12, phases=[Phase.generate])
    @seed(zlib.crc32(prop.id.encode()))
    @given(prop.cases("keras3", ("Adam",)))
    def check(case: Document) -> None:
        spec.validate(case, "case", "drawn")
        trajectory = implementation.run(case)
        values = [variable["value"]["values"] for variable in case["variables"]]
        moved.append(trajectory["steps"][-1]["variables"] != values)

    check()
    assert sum(moved) > 6


@pytest.mark.parametrize("edition", [edition for edition in spec.editions() if in_release(edition)])
def test_a_drawn_call_of_a_schedule_is_a_case(edition: str) -> None:
    implementation = reference()

    @settings(settings.get_profile("goldenstep"), max_examples=20)
    @seed(zlib.crc32(edition.encode()))
    @given(schedule_lives(edition, tuple(in_release(edition)), Calls()))
    def check(case: Document) -> None:
        spec.validate(case, "schedule_case", "drawn")
        assert "error" not in implementation.run(case)

    check()


VARIED = [prop for prop in PROPERTIES.values() if isinstance(prop.drawing, Varied)]


@pytest.mark.parametrize("prop", VARIED, ids=[prop.id for prop in VARIED])
def test_a_variation_is_a_case(prop: Property) -> None:
    """What is made of the made cases fits the schema, and is another case if numbers are drawn, else the same one."""
    assert isinstance(prop.drawing, Varied)
    names, drawn = prop.holds_for("keras3"), list[str]()
    made = {asked(case) for name in names for case in known(prop.drawing.kind, "keras3", name)}

    @settings(settings.get_profile("goldenstep"), max_examples=30, phases=[Phase.generate])
    @seed(zlib.crc32(prop.id.encode()))
    @given(prop.cases("keras3", tuple(names)))
    def check(case: Document) -> None:
        spec.validate(case, schema_of(case), "drawn")
        drawn.append(asked(case))

    check()
    new = sum(case not in made for case in drawn)
    assert new > 10 if prop.drawing.numbers else new == 0


def asked(case: Document) -> str:
    """What a case asks, without what it is called."""
    return json.dumps({key: value for key, value in case.items() if key not in ("id", "clauses", "features", "flags")})


def test_the_copy_that_judges_knows_nothing_of_what_is_replaced() -> None:
    """Nor does what is documented in the place of an erratum."""
    case = next(case for case in known("lived", "keras3", "SGD") if "weight_decay" in case["features"])
    expected = pristine().run(case)
    with mock.patch.object(steps, "decay_weights", return_value=None):
        assert reference().run(case) != expected
        assert pristine().run(case) == expected
        assert as_documented("keras3", "SGD", ("E-013",)).run(case)["steps"] == expected["steps"]


NAMESAKE = """
from goldenstep.conformance.keras_shaped import reference
from goldenstep.reference import steps

def factory():
    steps.decay_weights = lambda variable, weight_decay, learning_rate: None
    return reference()
"""


def test_whatever_calls_itself_reference_is_compared_with_the_reference(tmp_path: Path) -> None:
    (tmp_path / "namesake.py").write_text(NAMESAKE)
    options = ("pytest", "--pyargs", "goldenstep.conformance", "-q", "-p", "no:cacheprovider", "--edition=tf2.15")
    result = run(tmp_path, *options, "--impl=namesake:factory", "--optimizer=AdamW", "-k", "P-54")
    assert "P-54 does not hold for AdamW of tf2.15" in result.stdout


def test_every_property_has_its_own_sentence_and_holds_somewhere() -> None:
    sentences = [prop.sentence for prop in PROPERTIES.values()]
    assert len(set(sentences)) == len(sentences) >= 40
    assert all(prop.sentence.endswith(".") for prop in PROPERTIES.values())
    assert all(any(prop.holds_for(edition) for edition in spec.editions()) for prop in PROPERTIES.values())


@pytest.mark.parametrize(("identity", "edition", "optimizer"), EXCEPTIONS)
def test_where_a_property_does_not_hold_there_is_a_counterexample(identity: str, edition: str, optimizer: str) -> None:
    """An exception is a fact about the release, not an excuse: some case breaks the property on the reference."""
    prop, implementation = PROPERTIES[identity], reference()

    @settings(settings.get_profile("goldenstep"), max_examples=2000, phases=[Phase.generate])
    @seed(7)
    @given(prop.cases(edition, (optimizer,)))
    def search(case: Document) -> None:
        try:
            prop.check(Subject(implementation), case)
        except Inapplicable:
            reject()

    with pytest.raises(Broken):
        search()


PACKAGE = """
import numpy as np
from goldenstep.reference import Variable
from goldenstep.reference.editions import keras3
GOLDENSTEP_EDITIONS = ["keras3"]
clear_session = keras3.clear_session

class SGD(keras3.SGD):
    def apply_gradients(self, pairs):
        return super().apply_gradients([(np.abs(g), v) for g, v in pairs])
"""


def run(folder: Path, *arguments: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *arguments], cwd=folder, capture_output=True, text=True, timeout=120, input=given
    )


def test_a_failure_prints_a_small_case_and_the_line_that_shows_it_again(tmp_path: Path) -> None:
    (tmp_path / "mypkg.py").write_text(PACKAGE)
    options = ("--pyargs", "goldenstep.conformance", "-q", "-p", "no:cacheprovider", "--impl=mypkg", "-k", "P-31")
    one, other = (run(tmp_path, "pytest", *options).stdout for _ in range(2))
    head, _, rest = one.partition("<<'CASE'\n")
    case = rest.partition("\nCASE")[0]
    assert rest.partition("\nCASE")[0] == other.partition("<<'CASE'\n")[2].partition("\nCASE")[0]
    assert len(json.loads(case)["variables"]) == 1
    assert len(json.loads(case)["events"]) <= 2
    program, *arguments = head.splitlines()[-1].split()
    assert program == "goldenstep"
    again = run(tmp_path, "goldenstep.conformance.command_line", *arguments, given=case)
    assert again.returncode == 1, again.stdout + again.stderr
    assert "P-31 does not hold for SGD of keras3" in again.stdout


def test_a_property_that_holds_is_said_to(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    case: Document = {
        "id": "keras3/sgd/drawn",
        "edition": "keras3",
        "clauses": [],
        "features": ["dense"],
        "flags": [],
        "optimizer": {"class_name": "SGD", "config": {}},
        "variables": [{"name": "kernel", "value": {"dtype": "float32", "shape": [1], "values": [1.0]}}],
        "events": [{"apply": [[0.5]]}],
    }
    monkeypatch.setattr(sys, "stdin", io.StringIO(json.dumps(case)))
    assert main(["replay", "P-31"]) == 0
    assert "P-31 holds" in capsys.readouterr().out


def test_properties_are_left_out_where_goldens_are_asked_for(tmp_path: Path) -> None:
    options = ("pytest", "--pyargs", "goldenstep.conformance", "-q", "-p", "no:cacheprovider", "--collect-only")
    assert "test_property" not in run(tmp_path, *options, "--case=keras3/adam/amsgrad").stdout
    listed = run(tmp_path, *options, "--edition=tf2.15", "--optimizer=Lion").stdout
    assert "test_property[P-29-tf2.15]" in listed
    assert "P-32" not in listed


def test_a_life_of_which_no_event_is_left_is_drawn_all_the_same() -> None:
    """Without averages there is nothing to finalize, and no event that a threshold could be fitted to."""
    life, drawn = Life(kinds=("finalize",), events=(1, 2), drawing=Drawing(clipped=True)), 0

    @seed(1)
    @settings(max_examples=40, phases=[Phase.generate], database=None)
    @given(lives("keras3", ("Adadelta",), life))
    def count(case: Document) -> None:
        nonlocal drawn
        drawn += 1

    count()
    assert drawn == 40
