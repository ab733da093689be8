"""What a failure shows: the first divergence, the line that reruns it, and a standalone script."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from goldenstep.golden.compare import unrolled
from goldenstep.spec import wrapper as wrapper_spec

from . import schedules, serialization, wrappers

if TYPE_CHECKING:
    from .implementations import Implementation
    from .verdict import Record

Document = dict[str, Any]
RERUN = "pytest --pyargs goldenstep.conformance {asked} --case='{id}'"


def failure(implementation: Implementation, golden: Document, record: Record) -> str:
    """The text of a failed case."""
    lines = [
        f"{record.id}: {record.verdict.value}",
        f"  {record.reason}",
        f"  clauses: {', '.join(record.clauses) or '-'}",
        "",
        "run this case alone:",
        "  " + rerun(implementation, record.id),
    ]
    if record.detail:
        lines += ["", "what it said last:", *("  " + line for line in record.detail.splitlines()[-12:])]
    code = code_for(implementation, golden["case"])
    if code:
        lines += [
            "",
            "without goldenstep:",
            *("  " + line for line in script(code, golden["case"], record).splitlines()),
        ]
    return "\n".join(lines)


def code_for(implementation: Implementation, case: Document) -> Document | None:
    """The implementation's own words, if a case can be told in them: files and replicas take more than a script."""
    code: Document | None = getattr(implementation, "code", None)
    told = code and case["edition"] in code["namespaces"] and not {"file", "replicas"} & set(case)
    return code if told else None


def rerun(implementation: Implementation, identity: str) -> str:
    """The line that runs one case alone."""
    return RERUN.format(asked=getattr(implementation, "asked", f"--impl={implementation.name}"), id=identity)


def script(code: Document, case: Document, record: Record) -> str:
    """About ten lines of Python that show the divergence with nothing but the implementation and numpy.

    `code` has the implementation's own words: `imports`, `namespaces` by edition, `variable`, `tensor`.
    """
    if "calls" in case:
        return serialization.script(case, code)
    if "schedule" in case:
        return schedules.script(case, code)
    last = record.divergence.step if record.divergence and record.divergence.step else 10
    values = [literal(v["value"]["values"], v["value"]) for v in case["variables"]]
    variables = [
        code["variable"].format(value=value, name=v["name"], last=v["name"].rpartition("/")[2])
        for value, v in zip(values, case["variables"], strict=True)
    ]
    namespace = code["namespaces"][case["edition"]]
    constraints = [
        code["constraint"].format(
            variable=f"variables[{i}]",
            namespace=namespace,
            constraint=f"{v['constraint']['class_name']}({arguments(v['constraint']['config'])})",
        )
        for i, v in enumerate(case["variables"])
        if v.get("constraint")
    ]
    overwritten = [i for i, v in enumerate(case["variables"]) if "overwrite_with_gradient" in v]
    divergence = record.divergence
    remark = f"  # {divergence.where}: expected {divergence.expected}" if divergence else ""
    return "\n".join(
        [
            *code["imports"],
            *defined(case["optimizer"], namespace),
            f"optimizer = {optimizer(case['optimizer'], case['edition'], code)}",
            f"variables = [{', '.join(variables)}]",
            *constraints,
            *(f"variables[{i}].overwrite_with_gradient = True" for i in overwritten),
            *(line for event in [*unrolled(case["events"])][:last] for line in lines(event, case, code)),
            f"print([v.numpy() for v in variables], optimizer.variables){remark}",
        ]
    )


def defined(optimizer: Document, namespace: str) -> list[str]:
    """The class that a case brings with it, on the implementation's base."""
    return ["", f"Optimizer = {namespace}.Optimizer", *optimizer["source"], ""] if "source" in optimizer else []


def optimizer(description: Document, edition: str, code: Document) -> str:
    """An optimizer as source text, with those that it wraps."""

    def plain(inner: Document) -> str:
        config = {name: schedules.as_code(value, edition, code) for name, value in inner["config"].items()}
        place = "" if "source" in inner else f"{code['namespaces'][edition]}."
        return f"{place}{inner['class_name']}({arguments(config)})"

    wraps = description["class_name"] in wrapper_spec.wrappers()
    return wrappers.source(description, edition, code, plain) if wraps else plain(description)


def arguments(config: Document) -> str:
    """Keyword arguments as source text."""
    return ", ".join(f"{name}={value_of(value)}" for name, value in config.items())


def value_of(value: Any) -> str:
    """An argument as source text; a callable gives its values one after the other."""
    if isinstance(value, list):
        return f"[{', '.join(map(value_of, value))}]"
    if isinstance(value, dict) and "multiply" in value:
        return f"lambda pairs: [(g * {value['multiply']}, v) for g, v in pairs]"
    if isinstance(value, dict) and "callable" in value:
        return f"iter({value['callable']} + {value['callable'][-1:]} * 1000).__next__"
    return repr(value)


def lines(event: Document, case: Document, code: Document) -> list[str]:
    """An event as source text."""
    if "attempt" in event:
        return [
            "try:",
            *(f"    {line}" for line in lines(event["attempt"], case, code)),
            "except Exception as e: print(e)",
        ]
    of = event.get("of", range(len(case["variables"])))
    chosen = f"[{', '.join(f'variables[{i}]' for i in of)}]" if "of" in event else "variables"
    if "set" in event:
        return [
            f"optimizer.{name} = {value_of(schedules.as_code(value, case['edition'], code))}"
            for name, value in event["set"].items()
        ]
    if "get" in event:
        return [f"print(optimizer.{event['get']})"]
    if "call" in event:
        return call(event["call"], code)
    if "set_iterations" in event:
        return [f"optimizer.iterations.assign({event['set_iterations']})"]
    if "finalize" in event:
        return [f"optimizer.finalize_variable_values({chosen})"]
    if "exclude" in event:
        excluded = ", ".join(f"variables[{i}]" for i in event["exclude"].get("variables", ()))
        return [f"optimizer.exclude_from_weight_decay([{excluded}], {event['exclude'].get('names')})"]
    if "resume" in event:
        return resumed(event["resume"])
    like = [case["variables"][i]["value"] for i in of]
    gradients = f"[{', '.join(shown(g, v, code) for g, v in zip(event['apply'], like, strict=True))}]"
    if "unscaled" in event:
        gradients = f"optimizer.get_unscaled_gradients({gradients})"
    more = "".join(f", {name}={value}" for name, value in event.get("arguments", {}).items())
    return [f"optimizer.apply_gradients(list(zip({gradients}, {chosen})){more})"]


def resumed(way: str) -> list[str]:
    """Another optimizer in the place of the first, with its state handed over, as source text."""
    now = "[v.numpy() for v in optimizer.variables]"
    saved, restored = {
        "config": ([], []),
        "weights": (
            [f"state = optimizer.get_weights() if hasattr(optimizer, 'get_weights') else {now}"],
            ["optimizer.set_weights(state)"],
        ),
        "store": (["state = {}", "optimizer.save_own_variables(state)"], ["optimizer.load_own_variables(state)"]),
        "variables": ([f"state = {now}"], ["for v, value in zip(optimizer.variables, state): v.assign(value)"]),
    }[way]
    made = "getattr(optimizer, 'build' if hasattr(optimizer, 'build') else '_create_all_weights')(variables)"
    another = ["optimizer = type(optimizer).from_config(optimizer.get_config())", *([made] if restored else [])]
    return [*saved, *another, *restored]


def call(event: Document, code: Document) -> list[str]:
    """A call of any method as source text; the loss on a tape comes before it."""
    given = [argument(a, code) for a in event.get("arguments", ())]
    given += [f"{name}={argument(a, code)}" for name, a in event.get("keywords", {}).items()]
    on_tape = [a["loss_on_tape"] for a in event.get("arguments", ()) if isinstance(a, dict) and "loss_on_tape" in a]
    before = (
        [f"with {code['losses']['tape']} as tape_of_loss:", f"    loss = {loss(on_tape[0], code)}"] if on_tape else []
    )
    return [*before, f"print(optimizer.{event['method']}({', '.join(given)}))"]


def argument(given: Any, code: Document) -> str:
    """An argument of a method as source text."""
    if isinstance(given, list):
        return f"[{', '.join(argument(x, code) for x in given)}]"
    if not isinstance(given, dict) or "callable" in given:
        return value_of(given)
    ((kind, value),) = list(given.items())[:1]
    texts: dict[str, Callable[[], str]] = {
        "variable": lambda: f"variables[{value}]",
        "state": lambda: f"optimizer.variables[{value}]",
        "tensor": lambda: str(code["tensor"].format(value=literal(value["values"], value))),
        "array": lambda: literal(value["values"], value),
        "dtype": lambda: f"np.dtype({value!r})",
        "function": lambda: f"lambda: {argument(value, code)}",
        "iterator": lambda: f"iter({argument(value, code)})",
        "loss": lambda: f"lambda: {loss(value, code)}",
        "loss_on_tape": lambda: "loss",
        "config": lambda: repr(value),
        "tape": lambda: "tape_of_loss" if value == "of the loss" else str(code["losses"]["tape"]),
    }
    return texts[kind]()


def loss(terms: list[Document], code: Document) -> str:
    """A loss as source text, in the implementation's own words for reading, squaring and summing."""
    found = []
    for term in terms:
        read = code["losses"]["read"].format(f"variables[{term['of']}]")
        for name, power in (("square", code["losses"]["square"].format(read)), ("linear", read)):
            if name in term:
                factors = f"np.array({term[name]}, {read}.dtype).reshape({read}.shape)"
                found.append(code["losses"]["total"].format(f"{factors} * {power}"))
    return " + ".join(found)


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
    if isinstance(gradient, dict) and "indices" in gradient:
        values, shape = literal(gradient["values"]["values"], gradient["values"]), tuple(variable["shape"])
        return str(code["slices"].format(values=values, indices=gradient["indices"], shape=shape))
    like = gradient if isinstance(gradient, dict) else variable
    values = gradient["values"] if isinstance(gradient, dict) else gradient
    return str(code["tensor"].format(value=literal(values, like)))
