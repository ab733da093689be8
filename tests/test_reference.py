"""The reference's public face: names, signatures and help of the real releases."""

from __future__ import annotations

import inspect
import subprocess
import sys

import numpy as np
import pytest

from goldenstep import spec
from goldenstep.reference import Variable
from goldenstep.reference.editions import keras3, namespace, tf2_4, tf2_12

PAIRS = [(edition, optimizer) for edition in spec.editions() for optimizer in spec.available(edition)]


@pytest.mark.parametrize(("edition", "optimizer"), PAIRS)
def test_signature_and_help_are_the_releases_own(edition: str, optimizer: str) -> None:
    cls = getattr(namespace(edition), optimizer)
    arguments = [a["name"] for a in spec.arguments(optimizer, edition)]
    assert [p.name for p in inspect.signature(cls).parameters.values()] == [a.removeprefix("**") for a in arguments]
    for argument in spec.arguments(optimizer, edition):
        assert f"{argument['name']}: {argument['meaning'].split()[0]}" in (cls.__doc__ or "")


def test_two_known_signatures() -> None:
    assert str(inspect.signature(tf2_4.Adam)) == (
        "(learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-07, amsgrad=False, name='Adam', **kwargs)"
    )
    assert str(inspect.signature(keras3.Lion)).startswith(
        "(learning_rate=0.001, beta_1=0.9, beta_2=0.99, weight_decay=None"
    )


def test_slots_by_their_names() -> None:
    w = Variable(np.ones(2, np.float32), "kernel")
    optimizer = tf2_4.Adam(amsgrad=True)
    optimizer.apply_gradients([(np.ones(2, np.float32), w)])
    assert optimizer.get_slot_names() == ["m", "v", "vhat"]
    assert optimizer.get_slot(w, "m").numpy() == pytest.approx([0.1, 0.1])
    assert [v.name for v in optimizer.weights] == ["Adam/iter:0", *(f"Adam/kernel/{s}:0" for s in ("m", "v", "vhat"))]
    assert int(optimizer.iterations) == 1


def test_a_variable_that_the_optimizer_was_not_built_with() -> None:
    known, unknown = (Variable(np.ones(2, np.float32), name) for name in ("known", "unknown"))
    gradient = np.ones(2, np.float32)
    for cls, error in ((keras3.Adam, ValueError), (tf2_12.Adam, KeyError)):
        optimizer = cls()
        optimizer.apply_gradients([(gradient, known)])
        with pytest.raises(error, match="unknown"):
            optimizer.apply_gradients([(gradient, unknown)])
    optimizer = tf2_4.Adam()
    optimizer.apply_gradients([(gradient, known)])
    optimizer.apply_gradients([(gradient, unknown)])
    assert len(optimizer.weights) == 5


def test_importing_the_reference_imports_no_framework() -> None:
    code = (
        "import sys; import goldenstep.reference.editions as e; e.namespaces();"
        "print(sorted({'tensorflow', 'keras', 'jsonschema', 'pytest', 'h5py'} & set(sys.modules)))"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"
