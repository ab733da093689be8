"""Cases of several replicas: an implementation's `Replicas`, and the trajectory of all its copies.

replicas = Replicas(count, make)             make() returns an optimizer and its variables, for one replica
replicas.apply([[g, ...], ...], **arguments) gradients by replica; the arguments of `apply_gradients`
replicas.optimizers[r], replicas.variables[r]
"""

from __future__ import annotations

from typing import Any

from goldenstep.golden.codec import gradient

from .keras_shaped import KerasShaped, Run, as_array, entries_of

Document = dict[str, Any]


def answer(implementation: KerasShaped, case: Document) -> Document:
    """The trajectory of a case of several replicas."""
    return ReplicasRun(implementation, case).trajectory()


class ReplicasRun(Run):
    """A case of several replicas on its way: the copies of the first replica are recorded first."""

    def construct(self) -> None:
        """As many optimizers, each with its variables, as there are replicas."""
        assert self.implementation.replicas is not None
        self.replicas = self.implementation.replicas(self.case["replicas"], self.copy)
        self.variables = [variable for variables in self.replicas.variables for variable in variables]

    def copy(self) -> tuple[Any, list[Any]]:
        """One replica's optimizer and variables."""
        return self.implementation.construct(self.case), self.implementation.variables(self.case)

    def apply_replicas(self, gradients: list[list[Any]], _: list[Any]) -> None:
        """One `apply_gradients` of all replicas."""
        self.replicas.apply([self.given(own) for own in gradients], **self.arguments)

    def given(self, gradients: list[Any]) -> list[Any]:
        """A replica's gradients as the implementation takes them."""
        arrays = [gradient(g, as_array(v)) for g, v in zip(gradients, self.replicas.variables[0], strict=True)]
        return [None if a is None else self.implementation.tensor(a) for a in arrays]

    def entries(self) -> list[tuple[str, Any]]:
        """The state of every copy; the names of later ones say whose they are."""
        return [
            (f"{name}/replica_{replica}" if replica else name, variable)
            for replica, optimizer in enumerate(self.replicas.optimizers)
            for name, variable in entries_of(optimizer)
        ]
