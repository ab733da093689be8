"""Real libraries as implementations: `--impl=torch` judges the torch.optim that is installed.

Each folder is an adapter: `mapping.json` says what stands for what, `__init__.py` has `adapter()`.
"""

from __future__ import annotations

from importlib import resources

__all__ = ["names"]


def names() -> list[str]:
    """Every adapter, by the name that `--impl` takes."""
    folders = resources.files(__package__).iterdir()
    return sorted(folder.name for folder in folders if (folder / "mapping.json").is_file())
