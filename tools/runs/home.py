"""Where runs live: one data directory, `MILLWRIGHT_HOME` or `.millwright` in the working directory.

`langgraph dev` watches the working directory and starts anew at every Python file that is written under it, which
breaks off whatever runs. What is built there is therefore written outside, and found from everywhere.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import os
from pathlib import Path

from tools.errors import RunUnknown
from tools.storage import storage_failed, write_atomic

SHORTEST_PREFIX = 4
LONGEST_ID = 128


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


def run_dir(run_id: str) -> Path:
    """The directory of a run, whether it exists or not.

    Raises:
        RunUnknown: the id is not one that could name a directory.
    """
    if not 0 < len(run_id) <= LONGEST_ID or not all(c.isascii() and (c.isalnum() or c in "-_") for c in run_id):
        raise RunUnknown(
            f"{run_id[:LONGEST_ID]!r} is not a run id: use at most {LONGEST_ID} letters, digits, '-' and '_'"
        )
    home = data_dir()
    inside, outside = home / "runs" / run_id, _outside(home) / run_id
    return outside if not inside.exists() and (outside.exists() or watched(home)) else inside


def find_run(prefix: str) -> str:
    """The id of the one run that starts with `prefix`.

    Raises:
        RunUnknown: no run, or more than one, starts like that.
    """
    ids = run_ids()
    if prefix in ids:
        return prefix
    matches = [run_id for run_id in ids if run_id.startswith(prefix)] if len(prefix) >= SHORTEST_PREFIX else []
    if len(matches) == 1:
        return matches[0]
    what = f"{len(matches)} runs start" if matches else "no run starts"
    raise RunUnknown(f"{what} with {prefix!r} in {data_dir()}; `millwright runs list` shows the ids")


def run_ids() -> list[str]:
    """The ids of every run in the data directory, in no particular order."""
    return [entry.parent.name for place in run_places() for entry in place.glob("[!.]*/run.json")]


def run_places() -> list[Path]:
    """The directories that hold the runs of the data directory, as far as they exist."""
    home = data_dir()
    return [place for place in (home / "runs", _outside(home)) if place.is_dir()]


def watched(home: Path) -> bool:
    """Whether this process is a server that starts anew at every Python file that is written in the data directory."""
    # Only a server that starts anew is a child of the process that watches; uvicorn makes it with multiprocessing.
    dev = os.environ.get("LANGSMITH_LANGGRAPH_API_VARIANT") == "local_dev"
    return dev and multiprocessing.parent_process() is not None and home.is_relative_to(Path.cwd())


def _outside(home: Path) -> Path:
    """The runs of this data directory that a watching server made."""
    # Unlike Path.home(), this takes a user who has no home.
    state = Path(os.environ.get("XDG_STATE_HOME") or os.path.expanduser("~/.local/state"))  # noqa: PTH111
    digest = hashlib.sha256(os.fsencode(home)).hexdigest()[:8]
    return state / "millwright" / f"{home.parent.name}-{digest}"
