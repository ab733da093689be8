"""What every test starts from."""

import pytest

from goldenstep.reference.editions import keras3


@pytest.fixture(autouse=True)
def names_count_from_the_start() -> None:
    """Keras 3 numbers its optimizers within a process (`sgd`, `sgd_1`): no test sees how many came before it."""
    keras3.clear_session()
