"""The one error of this folder."""

from __future__ import annotations


class FileFormatError(ValueError):
    """A file is not what its format says; the message names the file, the place in it and what was expected."""
