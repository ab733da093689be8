"""`get_config` and `from_config` of the optimizers.

Which keys there are, and in which order, stands in spec/formats/config.json; here is what their values are.
"""

from __future__ import annotations

from typing import Any

from goldenstep.spec import schedule as spec_of_schedules
from goldenstep.spec import serialization

from ..optimizer import Optimizer
from .custom import CustomObjects
from .identifiers import deserialize_schedule

Document = dict[str, Any]


class Configured(Optimizer):
    """An optimizer that can say with which arguments to make it again."""

    def get_config(self) -> Document:
        """The arguments of the constructor, by name, as they are now; without the state."""
        config = {key: self._in_config(key) for key in serialization.config_keys(self.optimizer, self.edition)}
        omitted = serialization.omitted_if_none(self.edition)
        return {key: value for key, value in config.items() if not (value is None and key in omitted)}

    def _in_config(self, key: str) -> Any:
        """What the config holds under a key."""
        constant = serialization.always()
        return constant[key] if key in constant else getattr(self, key)

    @classmethod
    def from_config(cls, config: Document, custom_objects: CustomObjects | None = None) -> Any:
        """The optimizer that `get_config` described.

        A schedule among the arguments is made of its description, which it replaces in `config`; `custom_objects`
        names schedules of one's own. Whatever the constructor refuses, this refuses too.
        """
        if "learning_rate" in config and isinstance(config["learning_rate"], dict):
            config["learning_rate"] = cls._rate_of(config["learning_rate"], custom_objects)
        return cls(**config)

    @classmethod
    def _rate_of(cls, document: Document, custom_objects: CustomObjects | None) -> Any:
        """The schedule that stands for a learning rate."""
        return deserialize_schedule(spec_of_schedules.release(cls.edition), document, custom_objects)
