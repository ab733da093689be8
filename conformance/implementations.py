"""Find the implementation that `--impl` names.

reference          the embedded numpy reference
keras              the Keras that is installed (edition keras3)
tf_keras           the tf_keras that is installed, and its `.legacy` (editions tf2.15 and tf2.15.legacy)
mypkg              any module shaped like Keras: `mypkg.optimizers.Adam`, or `mypkg.Adam`
mypkg:factory      `factory()` returns an implementation, or a module shaped like Keras
cmd: node x.mjs    a process that speaks the protocol (docs/protocol.md)
NAME               what an installed package announces by an entry point of the group `goldenstep.implementations`: such
                   a factory, such a module, or the text of a `cmd:`; so do the adapters of this one: torch, optax ...
"""

from __future__ import annotations

import contextlib
import importlib
import os
import shlex
import sys
import traceback
from collections.abc import Callable, Iterable
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar, Protocol

import numpy as np

from goldenstep import spec
from goldenstep.golden.compare import with_layouts
from goldenstep.reference.naming import forget_names

from .answers import NoAnswerError
from .calls import Losses
from .exposure import KINDS, unknown
from .keras_shaped import KerasShaped, reference
from .process import ProcessImplementation, command_of, served

Document = dict[str, Any]
ERRATA = ("either", "shipped", "documented")
COMMAND = "cmd:"
ENTRY_POINTS = "goldenstep.implementations"


class Implementation(Protocol):
    """Anything that turns a case into a trajectory."""

    name: str
    editions: list[str]

    def supports(self, case: Document) -> str | None:
        """None if the case can be run, otherwise why not."""

    def run(self, case: Document) -> Document:
        """The trajectory of a case."""


class UnknownImplementationError(ValueError):
    """`--impl` names nothing that can be loaded; the message says what would have been right."""


def load(name: str, edition: str | None = None, isolate: bool = False, timeout: float | None = None) -> Implementation:
    """The implementation called `name`; a module that does not say its edition is taken for `edition`, or keras3.

    With `isolate` a Python implementation runs in a process of its own. `timeout` is in seconds per case, and only
    such a process can be held to it.
    """
    if timeout is not None and not (isolate or name.startswith(COMMAND)):
        raise UnknownImplementationError(
            f"--timeout={timeout:g}: a call within this process can't be ended. Add --isolate."
        )
    if name.startswith(COMMAND):
        return process(name, f"--impl={shlex.quote(name)}", timeout)
    special = {"reference": reference, "keras": keras, "tf_keras": tf_keras}
    if name in special:
        return isolated(name, edition, timeout) if isolate else special[name]()
    announced = [entry for entry in metadata.entry_points(group=ENTRY_POINTS) if entry.name == name]
    found: Any = announced_by(announced[0]) if announced else None
    if isinstance(found, str):
        return process(found, f"--impl={name}", timeout)
    if isolate:
        return isolated(name, edition, timeout)
    if found is not None:
        return made_of(found, name, edition)
    module_name, _, attribute = name.partition(":")
    try:
        found = importlib.import_module(module_name)
    except ImportError as error:
        raise UnknownImplementationError(
            f"--impl={name}: no module {module_name!r} can be imported ({error}). Give {', '.join(special)}, "
            "the name of an installed module shaped like Keras, module:factory, or 'cmd: a command line'."
        ) from error
    except (Exception, SystemExit) as error:
        raise UnknownImplementationError(f"--impl={name}: importing {module_name!r} raised {told(error)}") from error
    if attribute:
        if not callable(getattr(found, attribute, None)):
            raise UnknownImplementationError(f"--impl={name}: {module_name!r} has no function {attribute!r}.")
        try:
            found = getattr(found, attribute)()
        except (Exception, SystemExit) as error:
            raise UnknownImplementationError(
                f"--impl={name}: {module_name}.{attribute}() raised {told(error)}"
            ) from error
    return made_of(found, name, edition)


def announced_by(entry: metadata.EntryPoint) -> Any:
    """What an installed package announces; UnknownImplementationError if the library that it needs is missing."""
    try:
        found = entry.load()
        return found if isinstance(found, str | ModuleType) else found()
    except ImportError as error:
        raise UnknownImplementationError(
            f"--impl={entry.name}: {entry.value} can't be imported here ({error}). Install the library that it is "
            f"about; of ours, `tox -e impl-{entry.name}` makes an environment."
        ) from error
    except (Exception, SystemExit) as error:
        raise UnknownImplementationError(f"--impl={entry.name}: {entry.value} raised {told(error)}") from error


def told(error: BaseException) -> str:
    """An exception, and where it was raised: `KeyError: 'gpu' (mypkg.py:7, in factory)`."""
    words = f"{type(error).__name__}: {error}"
    if isinstance(error, SyntaxError):  # its own words say where; the traceback ends in the importer
        return words
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{words} ({Path(last.filename).name}:{last.lineno}, in {last.name})"


def made_of(found: Any, name: str, edition: str | None) -> Implementation:
    """The implementation that a factory returned, or one made of a module's classes; `asked` is how to name it."""
    if hasattr(found, "run") and hasattr(found, "supports"):
        missing = [attribute for attribute in ("name", "editions") if not hasattr(found, attribute)]
        if missing:
            raise UnknownImplementationError(f"--impl={name}: {found!r} has run and supports, but no {missing[0]}.")
        wrong = unknown(getattr(found, "exposes", None) or {})
        if wrong:
            raise UnknownImplementationError(f"--impl={name}: {wrong}")
        with contextlib.suppress(AttributeError):
            found.asked = f"--impl={name}"
        return found  # type: ignore[no-any-return]
    return shaped_like_keras(found, name, edition or "keras3")


def process(asked: str, option: str, timeout: float | None) -> ProcessImplementation:
    """The implementation that a command line starts."""
    command = command_of(asked)
    if not command:
        raise UnknownImplementationError(f"--impl={asked}: expected a command line, e.g. 'cmd: node adapter.mjs'.")
    return answering(lambda: ProcessImplementation(command, option, timeout), asked)


def isolated(name: str, edition: str | None, timeout: float | None) -> ProcessImplementation:
    """A Python implementation served by a process of its own."""
    return answering(lambda: served(name, edition, timeout), name)


def answering(start: Callable[[], ProcessImplementation], asked: str) -> ProcessImplementation:
    """What `start` starts; UnknownImplementationError with the last words of a process that does not say what it is."""
    try:
        return start()
    except NoAnswerError as error:
        detail = f"\n{error.detail}" if error.detail else ""
        raise UnknownImplementationError(f"--impl={asked}: {error.kind}: {error}{detail}") from error


def shaped_like_keras(module: Any, name: str, edition: str) -> KerasShaped:
    """An implementation made of a module's classes; its `Variable` and `convert_to_tensor` are used if it has them."""
    optimizers = getattr(module, "optimizers", module)
    known = [optimizer for optimizer in spec.optimizers() if hasattr(optimizers, optimizer)]
    if not known and ":" in name:
        raise UnknownImplementationError(
            f"--impl={name}: expected it to return an object with name, editions, supports(case) and run(case), or "
            f"one with classes such as optimizers.Adam or Adam; it returned {module!r}."
        )
    if not known:
        raise UnknownImplementationError(
            f"--impl={name}: expected classes such as {name}.optimizers.Adam or {name}.Adam, found none of "
            f"{', '.join(spec.optimizers())}."
        )
    twice = [o for o in known if getattr(module, o, None) not in (None, getattr(optimizers, o))]
    if twice:
        raise UnknownImplementationError(
            f"--impl={name}: {name}.{twice[0]} and {name}.optimizers.{twice[0]} are not the same. Expected one of each "
            f"optimizer: what is in {name}.optimizers would be judged."
        )
    variable = getattr(module, "Variable", None) or getattr(optimizers, "Variable", None)
    if variable is None:
        raise UnknownImplementationError(f"--impl={name}: expected a class {name}.Variable(value, name=...).")
    tensor: Any = getattr(module, "convert_to_tensor", None)
    tensor = tensor or getattr(getattr(module, "ops", None), "convert_to_tensor", np.asarray)
    editions = getattr(module, "GOLDENSTEP_EDITIONS", [edition])
    forget = getattr(module, "clear_session", forget_names)  # a module may stand on the reference
    path = name if optimizers is module else f"{name}.optimizers"
    code = {
        "imports": ["import numpy as np", f"import {name.partition(':')[0]}"],
        "namespaces": dict.fromkeys(editions, path),
        "variable": f"{name}.Variable({{value}}, name={{name!r}})",
        "tensor": "{value}",
        "constraint": f"{{variable}}.constraint = {name}.constraints.{{constraint}}",
        "slices": f"{name}.IndexedSlices({{values}}, {{indices}}, {{shape}})",
        "mixed_precision": dict.fromkeys(editions, f"{name}.mixed_precision"),
    }
    return KerasShaped(
        name,
        dict.fromkeys(editions, optimizers),
        lambda value, n, constraint=None: constrained(scoped(variable, value, n), constraint),
        tensor,
        forget,
        getattr(module, "__version__", ""),
        code,
        dict.fromkeys(editions, getattr(module, "constraints", None)),
        getattr(module, "IndexedSlices", None),
        getattr(module, "restore_optimizer", None),
        mixed_precision=dict.fromkeys(editions, getattr(module, "mixed_precision", None)),
        replicas=getattr(module, "Replicas", None),
        graph=getattr(module, "graph", None),
        features=getattr(module, "GOLDENSTEP_FEATURES", None),
        overwrites=overwrites(variable, [getattr(optimizers, optimizer) for optimizer in known]),
    )


def overwrites(variable: Any, optimizers: Iterable[Any]) -> bool:
    """Do steps heed `overwrite_with_gradient`? If the variable has it, and all optimizers are of the variable's kin.

    A module may borrow Keras' variables, or the reference's, for optimizers that have never heard of it.
    """

    def package(of: Any) -> str:
        return str(getattr(of, "__module__", "")).partition(".")[0]

    kin = [{package(base) for base in getattr(optimizer, "__mro__", (optimizer,))} for optimizer in optimizers]
    return hasattr(variable, "overwrite_with_gradient") and all(package(variable) in packages for packages in kin)


def scoped(variable: Any, value: Any, name: str, **more: Any) -> Any:
    """A variable: Keras' own is made within the scopes that its path names, any other has the path as its name."""
    keras: Any = sys.modules.get("keras")
    borrowed = keras is not None and variable is getattr(keras, "Variable", None)
    *scopes, last = name.split("/") if borrowed else [name]
    with contextlib.ExitStack() as within:
        for scope in scopes:
            within.enter_context(keras.name_scope(scope))
        return variable(value, name=last, **more)


def constrained(variable: Any, constraint: Any) -> Any:
    """The variable with a constraint as its attribute, if there is one."""
    if constraint is not None:
        variable.constraint = constraint
    return variable


def keras() -> KerasShaped:
    """The installed Keras 3, on whichever backend it is configured for (TensorFlow unless KERAS_BACKEND says so)."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    module = _installed("keras")
    if int(module.__version__.partition(".")[0]) < 3:
        raise UnknownImplementationError(f"--impl=keras: expected Keras 3, got {module.__version__}; try tf_keras.")
    recorded_on = module.backend.backend() == "tensorflow"
    slices = indexed_slices(_installed("tensorflow")) if recorded_on else None
    return (KerasShaped if recorded_on else KerasElsewhere)(
        "keras",
        {"keras3": module.optimizers},
        lambda value, name, constraint=None: constrained(
            scoped(module.Variable, value, name, dtype=value.dtype.name), constraint
        ),
        module.ops.convert_to_tensor,
        lambda: module.utils.clear_session(free_memory=False),
        f"{module.__version__} on {module.backend.backend()}",
        {
            "imports": ["import numpy as np", "import keras", *(["import tensorflow as tf"] if slices else [])],
            "namespaces": {"keras3": "keras.optimizers"},
            "variable": "keras.Variable({value}, name={last!r})",
            "tensor": "keras.ops.convert_to_tensor({value})",
            "constraint": "{variable}.constraint = keras.constraints.{constraint}",
            "slices": INDEXED_SLICES,
        },
        {"keras3": module.constraints},
        slices,
        # Its setters keep track of a keras.Variable before they say that there is nothing to set.
        counter=int,
        overwrites=True,
    )


class KerasElsewhere(KerasShaped):
    """Keras 3 on another backend than TensorFlow: `iterations` is int32 there, and is not shown."""

    exposes: ClassVar = {
        optimizer: [*spec.optimizers()[optimizer]["slots"], *(kind for kind in KINDS if kind != "iteration")]
        for optimizer in spec.available("keras3")
    }

    def run(self, case: Document) -> Document:
        """The trajectory of a case, without the count of its optimizer."""
        got = super().run(case)
        if case.get("optimizer", {}).get("class_name") not in self.exposes or "calls" in case or "file" in case:
            return got
        steps, first = [], got["layout"]
        for step, (_, layout) in zip(got["steps"], with_layouts(got), strict=True):
            kept = [place for place, entry in enumerate(layout) if not entry["name"].endswith("/iteration")]
            shown = {**step, "state": [step["state"][place] for place in kept]}
            steps.append({**shown, "layout": [layout[place] for place in kept]})
        return {**got, "layout": [e for e in first if not e["name"].endswith("/iteration")], "steps": steps}


def tf_keras() -> KerasShaped:
    """The installed tf_keras and its `.legacy`, taken for the last Keras 2."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    module, tensorflow = _installed("tf_keras"), _installed("tensorflow")
    return KerasShaped(
        "tf_keras",
        {"tf2.15": module.optimizers, "tf2.15.legacy": module.optimizers.legacy},
        lambda value, name, constraint=None: tensorflow.Variable(value, name=name, constraint=constraint),
        tensorflow.constant,
        version=module.__version__,
        code={
            "imports": ["import numpy as np", "import tensorflow as tf", "import tf_keras"],
            "namespaces": {"tf2.15": "tf_keras.optimizers", "tf2.15.legacy": "tf_keras.optimizers.legacy"},
            "mixed_precision": dict.fromkeys(("tf2.15", "tf2.15.legacy"), "tf_keras.mixed_precision"),
            "variable": "tf.Variable({value}, name={name!r})",
            "tensor": "tf.constant({value})",
            "constraint": "{variable}._constraint = tf_keras.constraints.{constraint}",
            "slices": INDEXED_SLICES,
            "losses": TF_LOSSES,
        },
        constraints=dict.fromkeys(("tf2.15", "tf2.15.legacy"), module.constraints),
        slices=indexed_slices(tensorflow),
        losses=Losses(
            tape=tensorflow.GradientTape, read=lambda w: w, square=tensorflow.square, total=tensorflow.reduce_sum
        ),
        mixed_precision=dict.fromkeys(("tf2.15", "tf2.15.legacy"), module.mixed_precision),
        dtype=tensorflow.as_dtype,
    )


TF_LOSSES = {"tape": "tf.GradientTape()", "read": "{}", "square": "tf.square({})", "total": "tf.reduce_sum({})"}


INDEXED_SLICES = "tf.IndexedSlices(tf.constant({values}), tf.constant({indices}), tf.constant({shape}))"


def indexed_slices(tensorflow: Any) -> Callable[[np.ndarray, np.ndarray, tuple[int, ...]], Any]:
    """TensorFlow's IndexedSlices, of tensors such as an Embedding layer gives them."""

    def slices(values: np.ndarray, indices: np.ndarray, shape: tuple[int, ...]) -> Any:
        tensors = map(tensorflow.constant, (values, indices, np.array(shape, np.int32)))
        return tensorflow.IndexedSlices(*tensors)

    return slices


def _installed(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise UnknownImplementationError(f"--impl={name}: {name} is not installed here: pip install {name}") from error
