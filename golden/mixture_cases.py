"""Cases of what does not mix: gradients of two dtypes, averages of other or empty variables, a row before the first.

Each is here because a change of the reference passed all others (docs/mutation.md).
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from goldenstep import spec

from .drawing import Document, Shape, features_of, normal, slug

Case = tuple[str, Document]
KERNEL: Shape = (3, 2)
BIAS: Shape = (3,)
ROWS = [2, 0, 2]
VARIANTS: list[Document] = [{"momentum": 0.75}, {"momentum": 0.75, "nesterov": True}, {"nesterov": True}]
EMPTY: list[Shape] = [(0,), (0, 1), (0, 2), (3, 0), (0, 3, 1), (3, 0, 1), (0, 1, 3), (0, 2, 3), (1, 3)]
"""With nothing in them but the last, and with one, two or no dimensions longer than 1."""
DTYPES = {"float64-first": ("float64", "float32"), "float64-last": ("float32", "float64")}


def mixture_cases(edition: str, optimizer: str) -> Iterator[Case]:
    """Pairs of a slug and a case without id, edition and clauses."""
    if optimizer == "SGD":
        takes = spec.taken(optimizer, edition)
        for name, dtypes in DTYPES.items():
            if "global_clipnorm" in takes:
                clipping = {"global_clipnorm": 0.5}
                yield f"global_clipnorm=0.5+{name}", together(optimizer, clipping, dtypes)
                yield f"global_clipnorm=0.5+{name}+rows", together(optimizer, clipping, dtypes, rows=True)
                yield f"global_clipnorm=0.5+{name}+attempted", attempted(together(optimizer, clipping, dtypes))
            if "use_ema" in takes:
                alike = together(optimizer, {"use_ema": True}, dtypes, second=KERNEL)
                alike["events"][0]["apply"][0] = None
                yield f"use_ema+{name}+first-none+of-one-shape", attempted(alike)
                late = together(optimizer, {"use_ema": True}, dtypes)
                late["events"][0]["apply"][0] = None
                yield f"use_ema+{name}+first-none", late
        if edition == "keras3":  # whose `add` takes some empty arrays for what they are not
            for shape in EMPTY:
                yield f"use_ema+shape-{'x'.join(map(str, shape))}", averaged(optimizer, shape)
    if optimizer == "Muon":  # which looks at the dtype of a matrix before it moves
        yield "matrix-of-float64", together(optimizer, {}, ("float64", "float32"))
    if optimizer in ("SGD", "Adagrad"):
        yield "sparse-rows-of-float64", rows_of_float64(optimizer)
    if optimizer in ("SGD", "RMSprop"):
        for config in ({}, *VARIANTS) if optimizer == "SGD" else ({},):
            yield (
                f"sparse-{slug(config)}+index-before-the-first".replace("-+", "-"),
                before_the_first(optimizer, config),
            )


def together(
    optimizer: str, config: Document, dtypes: Sequence[str], rows: bool = False, second: Shape = BIAS
) -> Document:
    """Two steps of two variables of these dtypes, which may be refused; the first has dense gradients, or rows."""
    stream = random.Random(f"mixture {optimizer} {sorted(config.items())} {dtypes} {rows}")
    shapes = dict(zip(("kernel", "bias"), zip((KERNEL, second), dtypes, strict=True), strict=True))
    variables = [{"name": name, "value": tensor(stream, *given)} for name, given in shapes.items()]
    events: list[Document] = []
    for _ in range(2):
        first, other = (tensor(stream, *given) for given in shapes.values())
        taken = {"indices": ROWS, "values": tensor(stream, (len(ROWS), *KERNEL[1:]), dtypes[0])} if rows else first
        events.append({"apply": [taken, other]})
    features = ["sparse" if rows else "dense", *features_of(config), *(["none"] if "use_ema" in config else [])]
    return {
        "features": [*features, "errors"],
        "flags": [],
        "optimizer": {"class_name": optimizer, "config": config},
        "variables": variables,
        "events": events,
    }


def attempted(case: Document) -> Document:
    """The first step of the case, after which the state is seen even if it is refused."""
    return {**case, "events": [{"attempt": case["events"][0]}]}


def averaged(optimizer: str, shape: Shape) -> Document:
    """Two steps of a variable of this shape, of which averages are kept."""
    stream = random.Random(f"mixture {optimizer} averaged {shape}")
    return {
        "features": ["dense", "ema"],
        "flags": [],
        "optimizer": {"class_name": optimizer, "config": {"use_ema": True}},
        "variables": [{"name": "kernel", "value": tensor(stream, shape, "float32")}],
        "events": [{"attempt": {"apply": [normal(stream, shape, "float32")]}} for _ in range(2)],
    }


def before_the_first(optimizer: str, config: Document) -> Document:
    """A step of rows of which one has the index -1."""
    stream = random.Random(f"mixture {optimizer} before the first")
    value = tensor(stream, KERNEL, "float32")
    gradient = {"indices": [-1, 1], "values": tensor(stream, (2, *KERNEL[1:]), "float32")}
    return {
        "features": ["sparse", "errors"],
        "flags": [],
        "optimizer": {"class_name": optimizer, "config": config},
        "variables": [{"name": "kernel", "value": value}],
        "events": [{"attempt": {"apply": [gradient]}}],
    }


def rows_of_float64(optimizer: str) -> Document:
    """A step of rows of another dtype than the variable's, and one of rows of its own."""
    stream = random.Random(f"mixture {optimizer} rows of float64")
    variable = {"name": "kernel", "value": tensor(stream, KERNEL, "float32")}
    misfit, fitting = (
        {"indices": [1, 2], "values": tensor(stream, (2, *KERNEL[1:]), dtype)} for dtype in ("float64", "float32")
    )
    return {
        "features": ["sparse", "errors"],
        "flags": [],
        "optimizer": {"class_name": optimizer, "config": {}},
        "variables": [variable],
        "events": [{"attempt": {"apply": [gradient]}} for gradient in (misfit, fitting)],
    }


def tensor(stream: random.Random, shape: Shape, dtype: str) -> Document:
    """Random values of a dtype that is named."""
    return {"dtype": dtype, "shape": list(shape), "values": normal(stream, shape, dtype)}
