"""What someone else did to a run's workspace while it was not running."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.errors import StorageFailed, WorkspaceChanged
from tools.workspace.ledger import Actor, FileOperation

if TYPE_CHECKING:
    from tools.runs.run import Run


def check_unchanged(run: Run) -> None:
    """Refuse to go on in a workspace that someone else changed since the last step.

    Raises:
        WorkspaceChanged: naming the first file and the ways out.
    """
    pending = {record["path"] for record in run.ledger.open_intents()}
    pending |= {record["target"] for record in run.ledger.open_intents() if record["target"]}
    for path, expected in sorted(run.ledger.files().items()):
        info = run.files.info(path)
        found = None if info is None else info.sha256
        if found != expected and path not in pending:
            what = "was deleted" if found is None else "is not what Millwright wrote"
            raise WorkspaceChanged(
                f"{path!r} in {run.workspace} {what}: someone else changed the run's workspace; resume with "
                f"--discard-changes to put Millwright's version back, or with --keep-changes to go on with yours"
            )


def settle_changes(run: Run, *, keep: bool) -> list[str]:
    """Adopt what someone else changed in the workspace, or put Millwright's own version back; return the paths.

    Raises:
        StorageFailed: a version to put back is not in the store.
    """
    changed = []
    for path, expected in sorted(run.ledger.files().items()):
        info = run.files.info(path)
        found = None if info is None else info.sha256
        if found == expected:
            continue
        changed.append(path)
        if not keep:
            found = _put_back(run, path, expected)
            info = run.files.info(path)
        key = f"settle:{run.ledger.head[:16]}:{path}"
        size = 0 if info is None else info.size
        operation = FileOperation(
            "restore", path, expected, found, size, Actor("user" if keep else "millwright"), key
        )
        run.ledger.intend(operation)
        run.ledger.settle(operation)
    if keep and changed:
        _into_snapshot(run, changed)
    return changed


def _into_snapshot(run: Run, paths: list[str]) -> None:
    """Make a person's files part of the tree that the next step begins with; half-done work stays out of it."""
    before = run.lineage.head_tree()
    if before is not None:
        run.lineage.adopt(run.store.subset(before, run.store.take(run.files, base=before), paths))


def _put_back(run: Run, path: str, expected: str | None) -> str | None:
    if expected is None:
        run.files.delete(path)
        return None
    content = run.version(path, expected)
    if content is None:
        raise StorageFailed(f"the version of {path!r} that Millwright wrote is in no snapshot; use --keep-changes")
    run.files.write(path, content)
    return expected
