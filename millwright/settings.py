"""Where Millwright keeps what it must remember."""

from __future__ import annotations

import os
from pathlib import Path

from tools.errors import StorageFailed


def data_dir() -> Path:
    """Return the data directory, created for its owner alone when it is missing.

    It is `MILLWRIGHT_HOME`, or `.millwright` in the working directory. A directory that already holds other files
    keeps its mode and gets no `.gitignore`. Blocks: call it in a thread from async code. Raises `StorageFailed`.
    """
    home = Path(os.environ.get("MILLWRIGHT_HOME") or ".millwright").absolute()
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        _hide_from_git(home)
    except OSError as error:
        raise StorageFailed(
            f"The data directory {str(home)!r} cannot be used ({error.strerror}): "
            "set MILLWRIGHT_HOME to a directory that can be written."
        ) from error
    return home


def _hide_from_git(home: Path) -> None:
    names = {entry.name for entry in home.iterdir()}
    if names and not all(name.startswith(".gitignore.") for name in names):
        return
    new = home / f".gitignore.{os.getpid()}"
    new.write_text("*\n")
    new.replace(home / ".gitignore")
