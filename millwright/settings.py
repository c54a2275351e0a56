"""Where Millwright keeps what it must remember."""

from __future__ import annotations

import os
from pathlib import Path

from tools.storage import storage_failed, write_atomic


def data_dir() -> Path:
    """Return the data directory: `MILLWRIGHT_HOME`, or `.millwright` in the working directory.

    A missing one is made, for its owner alone and ignored by git; one that holds files already is left as it is.
    Blocks: call it in a thread from async code. Raises `StorageFailed`.
    """
    home = Path(os.environ.get("MILLWRIGHT_HOME") or ".millwright").absolute()
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        # What a killed writer left behind is no user's file.
        fresh = all(entry.name.startswith("..gitignore.") for entry in home.iterdir())
    except OSError as error:
        raise storage_failed(error, home) from error
    if fresh:
        write_atomic(home / ".gitignore", b"*\n")
    return home
