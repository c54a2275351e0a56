"""What someone else did to a run's workspace while it was not running."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.errors import StorageFailed, ToolRefused, WorkspaceChanged
from tools.workspace.ledger import Actor, FileOperation

if TYPE_CHECKING:
    from tools.runs.run import Run


def check_unchanged(run: Run) -> None:
    """Refuse to go on in a workspace that someone else changed since the last step.

    Raises:
        WorkspaceChanged: naming the first file and the ways out.
    """
    ours = _begun(run)
    for path, expected in sorted(run.ledger.files().items()):
        found, _ = _found(run, path)
        if found != expected and (path, found) not in ours:
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
    changed, ours = [], _begun(run)
    for path, expected in sorted(run.ledger.files().items()):
        found, size = _found(run, path)
        if found == expected or (path, found) in ours:
            continue
        changed.append(path)
        if not keep:
            found, size = _put_back(run, path, expected)
        key = f"settle:{run.ledger.head[:16]}:{path}"
        operation = FileOperation(
            "restore", path, expected, found, size, Actor("user" if keep else "millwright"), key
        )
        run.ledger.intend(operation)
        run.ledger.settle(operation)
    if keep and changed:
        _into_snapshot(run, changed)
    return changed


def _begun(run: Run) -> set[tuple[str, str | None]]:
    """What a killed process of ours may have left: the paths that it was changing, with the hashes it meant."""
    ours: set[tuple[str, str | None]] = set()
    for intent in run.ledger.open_intents():
        if intent["target"]:
            ours |= {(intent["path"], None), (intent["target"], intent["after"])}
        else:
            ours.add((intent["path"], intent["after"]))
    return ours


def _found(run: Run, path: str) -> tuple[str | None, int]:
    """Hash and size of what stands at a path."""
    try:
        info = run.files.info(path)
    except ToolRefused as refusal:
        raise WorkspaceChanged(
            f"{path!r} in {run.workspace} is no ordinary file any more ({refusal}); put the real one back and resume"
        ) from refusal
    return (None, 0) if info is None else (info.sha256, info.size)


def _into_snapshot(run: Run, paths: list[str]) -> None:
    """Make a person's files part of the tree that the next step begins with; half-done work stays out of it."""
    for position in run.lineage.standing():
        before = run.lineage.tree(position)
        if before is not None:
            run.lineage.adopt(position, run.store.subset(before, run.store.take(run.files, base=before), paths))


def _put_back(run: Run, path: str, expected: str | None) -> tuple[str | None, int]:
    if expected is None:
        run.files.delete(path)
        return None, 0
    content = run.version(path, expected)
    if content is None:
        raise StorageFailed(f"the version of {path!r} that Millwright wrote is in no snapshot; use --keep-changes")
    run.files.write(path, content)
    return expected, len(content)
