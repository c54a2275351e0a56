"""Tasks that a session of the factory began and has not told of: a file for each, so that whoever comes next tells of them.

A session that is killed between a task's end and its line in the log leaves the task finished, and told to nobody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.runs.home import data_dir
from tools.storage import storage_failed, sync_directory

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = "untold"


def begin(run_id: str) -> None:
    """Note, before the run exists, that it is to be told of. Blocks.

    Raises:
        StorageFailed: the disk refused.
    """
    path = _folder() / run_id
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        path.touch(mode=0o600)
        sync_directory(path.parent)
    except OSError as error:
        raise storage_failed(error, path) from error


def tell(run_id: str) -> None:
    """Note that the run was told of, or never came to be.

    Raises:
        StorageFailed: the disk refused.
    """
    path = _folder() / run_id
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise storage_failed(error, path) from error


def untold() -> set[str]:
    """The runs that nobody was told of yet, those that are worked on just now among them. Blocks."""
    folder = _folder()
    return {path.name for path in folder.iterdir()} if folder.is_dir() else set()


def _folder() -> Path:
    return data_dir() / FOLDER
