"""A file that gets its name only when it is whole and on the disk."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import BufferedRandom


@contextlib.contextmanager
def staged(folder: Path, prefix: str, *, mode: int = 0o444) -> Iterator[tuple[BufferedRandom, Path]]:
    """Give an open temporary file in `folder` and its path; the caller renames it after the block.

    When the block ends the bytes are on the disk; when it fails the file is gone. A killed writer leaves a file
    whose name begins with `prefix`.
    """
    descriptor, name = tempfile.mkstemp(prefix=prefix, dir=folder)
    try:
        with os.fdopen(descriptor, "w+b") as file:
            yield file, Path(name)
            file.flush()
            Path(name).chmod(mode)
            os.fsync(file.fileno())
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
