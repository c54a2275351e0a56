"""One run's directory, opened: history, ledger, events, register, snapshots and the workspace itself."""

from __future__ import annotations

import json
import shutil
import tempfile
import threading
import weakref
from collections import OrderedDict
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tools.errors import RunUnknown
from tools.events import EventLog, Kind, now
from tools.runs.home import run_dir
from tools.runs.lineage import Lineage, Position
from tools.runs.register import Register
from tools.storage import Record, canonical, storage_failed, sweep, sync_directory, write_atomic
from tools.workspace.confined import ConfinedDir
from tools.workspace.ledger import Actor, FileOperation, Ledger, sha256
from tools.workspace.snapshots import SnapshotStore
from tools.workspace.trees import EMPTY_TREE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Status = Literal["running", "suspended", "finished"]
OPEN_RUNS = 8
_TRIAL = ".trial."
_LOGS = ("lineage.jsonl", "ledger.jsonl", "register.jsonl", "cassette.jsonl", "events.jsonl")


class Run:
    """The files of one run. Use `open_run` or `create_run`, which share one object per run and process."""

    def __init__(self, root: Path) -> None:
        """Open every file of an existing run directory."""
        self.root = root
        self.id = root.name
        self.workspace = root / "workspace"
        self.lineage = Lineage(root / "lineage.jsonl")
        self.ledger = Ledger(root / "ledger.jsonl")
        self.events = EventLog(root / "events.jsonl")
        self.register = Register(root / "register.jsonl", self.lineage)
        self.store = SnapshotStore(root / "objects.git")
        self.files = ConfinedDir(self.workspace)
        self.resources: dict[Any, Any] = {}
        self._lock = threading.Lock()
        self._noting = threading.Lock()

    @property
    def manifest(self) -> Record:
        """What `run.json` holds: goal, settings, status, times."""
        found: Record = json.loads((self.root / "run.json").read_bytes())
        return found

    def note(self, **fields: Any) -> None:
        """Change fields of `run.json`, atomically; of two threads that do neither undoes what the other did."""
        with self._noting:
            write_atomic(self.root / "run.json", canonical({**self.manifest, **fields, "changed": now()}))

    def arrive(self, position: str | None) -> Position:
        """Begin a node whose state is at `position`: take the files back to it when it is an earlier one.

        Raises:
            StorageFailed: this run's history does not know the position.
        """
        with self._lock:
            if self.lineage.arrive(position) == "fork":
                self.take_back(position)
            return self.lineage.place(position)

    def take_back(self, position: str | None) -> None:
        """Make the files what they were at a position, and begin a new branch of the history there."""
        tree = self.lineage.tree(position)
        target = tree if tree is not None else EMPTY_TREE
        for record in self.ledger.open_intents():
            self.ledger.void(FileOperation.of(record), "taken back")
        # Intended before the files change, so that a kill in between is no change by someone else.
        known = self._restorations(target, self.ledger.files())
        for operation in known:
            self.ledger.intend(operation)
        changed = self.store.restore(target, self.files)
        for operation in known:
            self.ledger.settle(operation)
        for operation in self._restorations(target, dict.fromkeys(changed) | self.ledger.files()):
            self.ledger.intend(operation)
            self.ledger.settle(operation)
        self.lineage.fork(position)
        self.events.emit(Kind.FORK, position=position, tree=tree, branch=self.lineage.branch, changed=changed)

    def _restorations(self, tree: str, known: dict[str, str | None]) -> list[FileOperation]:
        """What putting `tree` back means for paths whose last known hash differs from what it holds."""
        there, key = self.store.list(tree), f"restore:{self.lineage.branch + 1}"
        found = []
        for path, before in sorted(known.items()):
            content = self.store.read(tree, path) if path in there else None
            after = None if content is None else sha256(content)
            if after != before:
                size = len(content or b"")
                operation = FileOperation(
                    "restore", path, before, after, size, Actor("millwright"), f"{key}:{path}"
                )
                found.append(operation)
        return found

    def advance(self, node: str, position: str | None, tree: str | None) -> str:
        """Record that `node` finished and left `tree`; return the state's new position."""
        with self._lock:
            after = self.lineage.advance(node, position, tree)
            self.events.emit(Kind.STEP, node=node, position=after, tree=tree)
            return after

    def operations(self, assignment: str, attempt: int | None = None) -> list[Record]:
        """The finished file operations of one assignment (of one attempt) in the run's present history."""
        return [
            record
            for record in self.ledger.operations(assignment=assignment, attempt=attempt)
            if self._belongs(record["key"])
        ]

    def version(self, path: str, sha: str) -> bytes | None:
        """The content of `path` with this SHA-256, from the newest snapshot that holds it."""
        for tree in self.lineage.trees():
            if path in self.store.list(tree):
                content = self.store.read(tree, path)
                if sha256(content) == sha:
                    return content
        return None

    def trial_folder(self) -> Path:
        """A new, empty directory to try something in; whoever asked for it removes it, or `sweep` after a kill."""
        try:
            return Path(tempfile.mkdtemp(prefix=_TRIAL, dir=self.root))
        except OSError as error:
            raise storage_failed(error, self.root) from error

    def sweep(self) -> None:
        """Remove the temporary files that killed drivers of this run left; only its driver may do so."""
        self.files.sweep()
        for folder in (self.root, self.root / "patches"):
            sweep(folder)
        for folder in self.root.glob(f"{_TRIAL}*"):
            shutil.rmtree(folder)

    def stale(self) -> bool:
        """Tell whether another process has written this run's logs, or thinned its snapshots, since this was opened."""
        return self.lineage.changed_by_others() or self.store.objects.thinned_by_others()

    def close(self) -> None:
        """Give every descriptor back."""
        parts = (self.lineage, self.ledger, self.events, self.register, self.files, self.store)
        _close_all(parts, self.resources)

    def _belongs(self, key: str) -> bool:
        place = Position.parse(key.split("/", 1)[0])
        return self.lineage.includes(place.branch, place.step)


_open: OrderedDict[Path, Run] = OrderedDict()
_alive: weakref.WeakValueDictionary[Path, Run] = weakref.WeakValueDictionary()
_registry = threading.RLock()


def create_run(run_id: str, **manifest: Any) -> Run:
    """Make a run's directory, or open it when it is there already.

    Raises:
        StorageFailed: the directory cannot be written.
    """
    root = run_dir(run_id)
    try:
        (root / "workspace").mkdir(parents=True, exist_ok=True)
        root.chmod(0o700)
    except OSError as error:
        raise storage_failed(error, root) from error
    if not (root / "run.json").exists():
        record = {"id": run_id, "status": "running", "created": now(), "changed": now(), **manifest}
        write_atomic(root / "run.json", canonical(record))
    return open_run(run_id)


def open_run(run_id: str) -> Run:
    """The run of this id, opened once per process.

    Raises:
        RunUnknown: there is no such run.
    """
    root = run_dir(run_id)
    if not (root / "run.json").exists():
        raise RunUnknown(
            f"there is no run {run_id!r} in {root.parent.parent}; `millwright runs list` shows the ids"
        )
    with _registry:
        run = _alive.get(root)
        if run is None or run.stale():
            run = Run(root)
            parts = (run.lineage, run.ledger, run.events, run.register, run.files, run.store)
            weakref.finalize(run, _close_all, parts, run.resources)
        _alive[root] = run
        _open[root] = run
        _open.move_to_end(root)
        while len(_open) > OPEN_RUNS:
            _open.popitem(last=False)
        return run


def clone_run(source_id: str, target_id: str, position: str | None) -> Run:
    """Make a run that stands where another one stood at `position`: with its logs, its snapshots and its files.

    Raises:
        RunUnknown: there is no such source.
        StorageFailed: the source never was at that position, or the copy cannot be written.
    """
    source, target = run_dir(source_id), run_dir(target_id)
    if not (source / "run.json").exists():
        raise RunUnknown(f"there is no run {source_id!r} to copy from")
    with _registry:  # parallel nodes of a copied thread all arrive here
        if not (target / "run.json").exists():
            try:
                _clone(source, target, position)
            except OSError as error:
                raise storage_failed(error, target) from error
    return open_run(target_id)


def _clone(source: Path, target: Path, position: str | None) -> None:
    """Make the copy beside its place and put it there whole."""
    target.parent.mkdir(parents=True, exist_ok=True)
    for leftover in target.parent.glob(f".{target.name}.*"):
        shutil.rmtree(leftover)
    draft = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        _copy_logs(source, draft)
        with SnapshotStore(source / "objects.git") as store:
            store.clone_to(draft / "objects.git").close()
        (draft / "workspace").mkdir()
        manifest = json.loads((source / "run.json").read_bytes())
        manifest |= {"id": target.name, "forked_from": source.name, "status": "suspended", "created": now()}
        write_atomic(draft / "run.json", canonical(manifest))
        with closing(Run(draft)) as copy:
            copy.take_back(position)
        draft.rename(target)
        sync_directory(target.parent)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def _copy_logs(source: Path, target: Path) -> None:
    for name in _LOGS:
        if (source / name).exists():
            write_atomic(target / name, (source / name).read_bytes())


def _close_all(parts: Iterable[Any], resources: Mapping[Any, Any]) -> None:
    for part in (*parts, *resources.values()):
        if hasattr(part, "close"):
            part.close()
