"""Documents of what no golden can hold: lambdas, functions of Python, schedules of one's own.

What is expected is what Keras 2.15.0 and 3.15.1 gave; a lambda's code differs from one Python to the next.
"""

from __future__ import annotations

import base64
import marshal
from types import CellType, FunctionType
from typing import Any

import pytest

from goldenstep.reference.editions import namespace

RELEASES = pytest.mark.parametrize("release", ["tf2.15", "keras3"])


@RELEASES
@pytest.mark.parametrize(("thing", "kind"), [(len, "builtin_function_or_method"), (int, "type")])
def test_what_has_only_a_name_is_written_by_its_name(release: str, thing: Any, kind: str) -> None:
    expected = {"module": "builtins", "class_name": kind, "config": thing.__name__, "registered_name": kind}
    assert namespace(release).serialize(thing) == expected
    assert namespace(release).schedules.serialize(thing) == expected


@RELEASES
def test_what_has_neither_config_nor_name_is_refused(release: str) -> None:
    with pytest.raises(TypeError, match=r"Cannot serialize object <object.*must implement the `get_config\(\)` method"):
        namespace(release).serialize(object())


def summed(closed: int) -> Any:
    """A lambda that has a default and closes over a number."""
    return lambda x, y=2: x + y + closed


@RELEASES
def test_a_lambda_is_written_as_its_code_its_defaults_and_what_it_closes_over(release: str) -> None:
    document = namespace(release).serialize(summed(3))
    code, defaults, closure = document["config"].pop("value")
    assert document == {"class_name": "__lambda__", "config": {}}
    assert (defaults, closure) == ((2,), (3,))
    cells = tuple(map(CellType, closure))
    loaded = FunctionType(marshal.loads(base64.decodebytes(code.encode())), {}, None, defaults, cells)
    assert loaded(1) == 6
    code, *others = namespace(release).serialize(lambda: 0.5)["config"]["value"]
    assert FunctionType(marshal.loads(base64.decodebytes(code.encode())), {})() == 0.5
    assert others == [None, None]


@RELEASES
def test_a_schedule_of_ones_own_has_its_own_module(release: str) -> None:
    mine = type("Mine", (namespace(release).schedules.ExponentialDecay,), {"__module__": "mine"})
    config: dict[str, Any] = {"initial_learning_rate": 0.5, "decay_steps": 2, "decay_rate": 0.25, "staircase": False}
    config["name"] = {"tf2.15": None, "keras3": "ExponentialDecay"}[release]
    expected = {"module": "mine", "class_name": "Mine", "config": config, "registered_name": "Mine"}
    assert namespace(release).schedules.serialize(mine(0.5, 2, 0.25)) == expected
    optimizer = namespace(release).SGD(mine(0.5, 2, 0.25))
    assert namespace(release).serialize(optimizer)["config"]["learning_rate"] == expected
    mine.__module__ = "__main__"
    assert namespace(release).schedules.serialize(mine(0.5, 2, 0.25)) == {**expected, "module": None}
