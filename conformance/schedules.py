"""Schedule cases on a module shaped like Keras, and schedules as arguments of its optimizers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from goldenstep.golden.codec import flat
from goldenstep.spec import schedule as spec

if TYPE_CHECKING:
    from .keras_shaped import KerasShaped

Document = dict[str, Any]
PYTHONS_OWN: dict[str, type] = {"int": int, "float": float}


def class_of(implementation: KerasShaped, edition: str, name: str) -> Any:
    """The class of a schedule, in `schedules` or `experimental` of the namespace of the edition or its release."""
    for namespace in (implementation.namespaces.get(edition), implementation.namespaces.get(spec.release(edition))):
        for folder in ("schedules", "experimental"):
            found = getattr(getattr(namespace, folder, None), name, None)
            if found is not None:
                return found
    return None


def unsupported(implementation: KerasShaped, case: Document) -> str | None:
    """None if every schedule of a case is there, otherwise which one is not."""
    for given in [case["schedule"]] if "schedule" in case else _arguments(case):
        if described(given) and class_of(implementation, case["edition"], given["class_name"]) is None:
            return f"no schedule {given['class_name']}"
    return None


def _arguments(case: Document) -> Iterator[Any]:
    """Everything that a case gives to its optimizer, and to those that it wraps, at first and on the way."""
    yield from _inside(case["optimizer"]["config"])
    for event in case["events"]:
        for inner in (event, event.get("attempt", {})):
            yield from inner.get("set", {}).values()


def _inside(given: Any) -> Iterator[Any]:
    """The values of an argument, and those inside them."""
    yield given
    values = given.values() if isinstance(given, dict) else given if isinstance(given, list) else ()
    for value in values:
        yield from _inside(value)


def described(given: Any) -> bool:
    """Does an argument describe a schedule?"""
    return isinstance(given, dict) and given.get("class_name") in spec.schedules()


def made(implementation: KerasShaped, given: Any, edition: str) -> Any:
    """The schedule that an argument describes; any other argument as it is."""
    if not described(given):
        return given
    config = {name: value_of(value) for name, value in given["config"].items()}
    return class_of(implementation, edition, given["class_name"])(**config)


def value_of(given: Any) -> Any:
    """An argument: `{"dtype", "value"}` stands for a numpy scalar."""
    if isinstance(given, list):
        return [value_of(x) for x in given]
    return np.dtype(given["dtype"]).type(given["value"]) if isinstance(given, dict) else given


def plain(value: Any) -> Any:
    """What `value_of` undoes."""
    if isinstance(value, np.generic):
        return {"dtype": value.dtype.name, "value": flat(np.asarray(value))[0]}
    return [plain(x) for x in value] if isinstance(value, list | tuple) else value


def answer(implementation: KerasShaped, case: Document) -> Document:
    """The answer to a schedule case: its config, whether that makes the same schedule, and what the calls gave."""
    stage = "construct"
    try:
        schedule = made(implementation, case["schedule"], case["edition"])
        stage = "config"
        config = schedule.get_config()
        again = type(schedule).from_config(dict(config)).get_config()
    except Exception as exception:  # whatever it raises is its answer
        return {"id": case["id"], "values": [], "error": {"stage": stage, **error(exception)}}
    return {
        "id": case["id"],
        "config": {name: plain(value) for name, value in config.items()},
        "roundtrip": bool(again == config),
        "values": grouped([called(schedule, step) for step in steps_of(implementation, case["steps"])]),
    }


def error(exception: Exception) -> Document:
    """An exception as data."""
    from .keras_shaped import plain as message

    return {"type": type(exception).__name__, "message": message(exception)}


def steps_of(implementation: KerasShaped, steps: Document) -> list[Any]:
    """Each step as the implementation takes its arrays, or as Python's own int or float."""
    if steps["dtype"] in PYTHONS_OWN:
        return [PYTHONS_OWN[steps["dtype"]](value) for value in steps["values"]]
    return [implementation.tensor(np.array(value, steps["dtype"])) for value in steps["values"]]


def called(schedule: Any, step: Any) -> tuple[str | None, Any]:
    """The dtype and number of one result, or the error."""
    try:
        result = schedule(step)
        value = np.asarray(result.numpy() if hasattr(result, "numpy") else result)
        return value.dtype.name, flat(value)[0]
    except Exception as exception:  # whatever it raises is its answer
        return None, error(exception)


def grouped(results: list[tuple[str | None, Any]]) -> list[Document]:
    """Results one after the other, those of one dtype and those of one error together."""
    groups: list[Document] = []
    for dtype, value in results:
        last = groups[-1] if groups else {}
        if dtype is None and last.get("error") == value:
            last["times"] += 1
        elif dtype is None:
            groups.append({"error": value, "times": 1})
        elif last.get("dtype") == dtype:
            last["values"].append(value)
        else:
            groups.append({"dtype": dtype, "values": [value]})
    return groups


# ---- as source text ---------------------------------------------------------------------------------------


def script(case: Document, code: Document) -> str:
    """About five lines of Python that show the values with nothing but the implementation and numpy."""
    dtype, values = case["steps"]["dtype"], case["steps"]["values"]
    step = "step" if dtype in PYTHONS_OWN else code["tensor"].format(value=f"np.array(step, {dtype!r})")
    return "\n".join(
        [
            *code["imports"],
            f"schedule = {source(case['schedule'], case['edition'], code)}",
            "print(schedule.get_config())",
            f"print([schedule({step}) for step in {values}])",
        ]
    )


def source(given: Document, edition: str, code: Document) -> str:
    """A schedule as source text."""
    namespace = code["namespaces"].get(spec.release(edition)) or code["namespaces"][edition]
    public = spec.schedules()[given["class_name"]]["editions"].get(spec.release(edition), {}).get("public", [])
    folder = "schedules" if not public or any(".schedules." in path for path in public) else "experimental"
    config = ", ".join(f"{name}={source_of(value)}" for name, value in given["config"].items())
    return f"{namespace}.{folder}.{given['class_name']}({config})"


def source_of(value: Any) -> str:
    """An argument of a schedule as source text."""
    if isinstance(value, list):
        return f"[{', '.join(map(source_of, value))}]"
    return f"np.{value['dtype']}({value['value']!r})" if isinstance(value, dict) else repr(value)


class Code(str):
    """Text that is its own `repr`."""

    __repr__ = str.__str__


def as_code(given: Any, edition: str, code: Document) -> Any:
    """The schedule that an argument describes as source text; any other argument as it is."""
    return Code(source(given, edition, code)) if described(given) else given
