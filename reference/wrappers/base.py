"""What every optimizer that wraps others is: no optimizer with rules of its own, but taken for one everywhere."""

from __future__ import annotations

from typing import Any, ClassVar


class Wrapper:
    """An optimizer that wraps others, of an edition."""

    edition: ClassVar[str]

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor, by name; an optimizer that is wrapped as the document that describes it."""
        raise NotImplementedError
