"""A task of the factory as a zip, which can be proved and replayed where its run is not."""

from __future__ import annotations

import json
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from agents.toolmaker import MAIN, TEST
from millwright.catalogue import FACTORY, graph_of
from tools.errors import ProofBroken, RunUnknown
from tools.runs.home import run_dir
from tools.storage import write_atomic
from tools.workspace.archive import read_zip, write_zip

if TYPE_CHECKING:
    from collections.abc import Iterator

MANIFEST = "run.json"
_RECORDS = ("lineage.jsonl", "ledger.jsonl", "register.jsonl", "cassette.jsonl", "events.jsonl")
_MEMBERS = (MANIFEST, *_RECORDS, "report.json", "report.md", f"workspace/{MAIN}", f"workspace/{TEST}")


def is_task(run_id: str) -> bool:
    """Whether a run is a task of the factory. Blocks."""
    return graph_of(json.loads((run_dir(run_id) / MANIFEST).read_bytes())) == FACTORY


def pack(run_id: str, target: Path) -> None:
    """Write the zip of a finished task: its code and tests, its records, its report. Blocks.

    Raises:
        RunUnknown: it is not finished.
        StorageFailed: the disk refused.
    """
    root = run_dir(run_id)
    if not (root / "report.json").is_file():
        raise RunUnknown(f"task {run_id!r} is not finished; `millwright runs resume {run_id}` goes on with it")
    write_zip(target, {name: (root / name).read_bytes() for name in _MEMBERS if (root / name).is_file()})


@contextmanager
def unpacked(path: Path) -> Iterator[Path | None]:
    """The directory of the task that a zip holds, for as long as the context lasts; None when it holds no task. Blocks.

    Raises:
        UsageError: it is no zip.
        ProofBroken: a member does not hold.
    """
    with read_zip(path) as archive, tempfile.TemporaryDirectory(prefix="millwright-proof-") as folder:
        manifest = _read(archive.read(MANIFEST)) if MANIFEST in archive.names else {}
        if graph_of(manifest) != FACTORY:
            yield None
            return
        root = Path(folder) / "task"
        (root / "workspace").mkdir(parents=True)
        for name in (name for name in _MEMBERS if name in archive.names):
            write_atomic(root / name, archive.read(name))
        yield root


def _read(content: bytes) -> dict[str, object]:
    try:
        found = json.loads(content)
    except ValueError as error:
        raise ProofBroken(f"{MANIFEST} cannot be read ({error}); export the task again") from error
    return found if isinstance(found, dict) else {}
