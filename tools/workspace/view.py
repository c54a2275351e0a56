"""What one agent sees of the workspace, and the one way it changes it.

An agent reads its own files from the disk and everything else from the snapshot its step began with, so parallel
agents never see each other's half-done work and a repeated step reads the same bytes. It writes only what its
assignment owns. Every change goes intent → atomic write → read back → ledger → event before the tool answers, and
carries the key of the tool call that asked for it, so that a call which is repeated after a crash changes nothing.
"""

from __future__ import annotations

import fnmatch
from typing import TYPE_CHECKING

from tools.errors import EditMismatch, FileMissing, LimitExceeded, NotOwned, NotText, PathRefused, ToolRefused
from tools.events import EventLog, Kind
from tools.workspace.ledger import Actor, FileOperation, Ledger, sha256
from tools.workspace.names import checked, executes_on
from tools.workspace.searching import matching_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tools.storage import Record
    from tools.workspace.confined import ConfinedDir, FileInfo
    from tools.workspace.searching import Hit
    from tools.workspace.snapshots import SnapshotStore

SEARCH_HITS = 100


class WorkspaceView:
    """The workspace as one attempt at one assignment may use it."""

    def __init__(
        self,
        files: ConfinedDir,
        store: SnapshotStore,
        ledger: Ledger,
        events: EventLog,
        *,
        actor: Actor,
        base: str | None,
        owned: Iterable[str] = (),
        guards: Iterable[Callable[[str, str, str | None], None]] = (),
    ) -> None:
        """See the tree `base` and own the paths `owned`.

        Each guard is called with path, new text and old text before a write, and refuses by raising ToolRefused.
        """
        self._files = files
        self._store = store
        self._ledger = ledger
        self._events = events
        self._actor = actor
        self._base = base
        self._guards = tuple(guards)
        self.owned = frozenset(owned)
        self.key = ""

    def paths(self, prefix: str = "") -> dict[str, int]:
        """Every visible path below `prefix` with its size in bytes, sorted."""
        folder = checked(prefix).rstrip("/") + "/" if prefix not in ("", ".", "./") else ""
        found = {} if self._base is None else {p: e.size for p, e in self._store.list(self._base).items()}
        for path in self.owned:
            info = self._own(path)
            found.pop(path, None)
            if info is not None:
                found[path] = info.size
        return {path: found[path] for path in sorted(found) if path.startswith(folder)}

    def text(self, path: str) -> str:
        """The whole text of a visible file.

        Raises:
            FileMissing, NotText, PathRefused: with what to do instead.
        """
        path = checked(path)
        return decoded(path, self._bytes(path))

    def exists(self, path: str) -> bool:
        """Tell whether a path is visible to this agent."""
        return path in self.paths()

    def search(self, pattern: str, glob: str = "*") -> list[Hit]:
        """Lines that match a regular expression, as (path, line number, line).

        One more than `SEARCH_HITS` at most: it says that there are more. Raises ToolRefused.
        """
        paths = [path for path in self.paths() if _globbed(path, glob)]
        texts = ((path, self._readable(path)) for path in paths)
        return matching_lines(pattern, {path: text for path, text in texts if text is not None}, SEARCH_HITS + 1)

    def write(self, path: str, text: str) -> Record:
        """Create a file or replace it whole; return its ledger record."""
        path = self._mine(path)
        finished = self._finished(path)
        if finished is not None:
            return finished
        info = self._files.info(path)
        # What cannot be read as text can be replaced all the same.
        before = self._readable(path) if info is not None else None
        return self._put("write", path, text, before, None if info is None else info.sha256)

    def edit(self, path: str, search: str, replace: str) -> Record:
        """Replace the one place where `search` stands by `replace`.

        Raises:
            EditMismatch: `search` is empty, absent, or stands there more than once.
        """
        path = self._mine(path)
        finished = self._finished(path)
        if finished is not None:
            return finished
        before = self._current(path)
        if before is None:
            raise FileMissing(f"{path!r} does not exist; create it with write_file", reason="missing")
        text = replaced_once(path, before, search, replace)
        return self._put("edit", path, text, before, sha256(before.encode()))

    def delete(self, path: str) -> Record:
        """Remove an owned file."""
        path = self._mine(path)
        finished = self._finished(path, gone=True)
        if finished is not None:
            return finished
        info = self._files.info(path)
        if info is None:
            raise FileMissing(f"{path!r} does not exist, so there is nothing to delete", reason="missing")
        operation = self._operation("delete", path, info.sha256, None, 0)
        return self._carry_out(operation, lambda: self._files.delete(path))

    def move(self, source: str, target: str) -> Record:
        """Rename an owned file to an owned path that does not exist yet."""
        source, target = self._mine(source), self._mine(target)
        finished = self._finished(target, source=source)
        if finished is not None:
            return finished
        info = self._files.info(source)
        if info is None:
            raise FileMissing(f"{source!r} does not exist, so it cannot be moved", reason="missing")
        operation = self._operation("move", source, info.sha256, info.sha256, info.size, target=target)
        return self._carry_out(operation, lambda: self._files.move(source, target))

    def _put(self, op: str, path: str, text: str, before: str | None, old: str | None) -> Record:
        content = encoded(path, text)
        for guard in self._guards:
            guard(path, text, before)
        operation = self._operation(op, path, old, sha256(content), len(content))
        return self._carry_out(operation, lambda: self._files.write(path, content))

    def _carry_out(self, operation: FileOperation, effect: Callable[[], object]) -> Record:
        self._ledger.intend(operation)
        try:
            effect()
        except ToolRefused as error:
            self._ledger.void(operation, str(error))
            raise
        return self._settle(operation)

    def _settle(self, operation: FileOperation) -> Record:
        record = self._ledger.settle(operation)
        self._events.emit(Kind.FILE_OPERATION, **operation.record())
        return record

    def _finished(self, path: str, *, gone: bool = False, source: str | None = None) -> Record | None:
        """The record of this call's operation when it is on disk already, as after a crash."""
        if not self.key:
            return None
        done = self._ledger.done(self.key)
        intent = self._ledger.intent(self.key)
        if done is not None or intent is None:
            return done
        if source is not None and self._files.info(source) is not None:
            return None  # equal bytes at the target are not this call's doing
        info = self._files.info(path)
        on_disk = None if info is None else info.sha256
        if on_disk != intent["after"] or (on_disk is None and not gone):
            return None
        return self._settle(FileOperation.of(intent))

    def _operation(
        self, op: str, path: str, before: str | None, after: str | None, size: int, target: str | None = None
    ) -> FileOperation:
        key = self.key or f"{self._actor.role}:{self._ledger.head[:16]}"
        return FileOperation(
            op=op,  # type: ignore[arg-type]  # the callers above name every operation there is
            path=path,
            before=before,
            after=after,
            size=size,
            actor=self._actor,
            key=key,
            target=target,
            executes_on=executes_on(target or path),
        )

    def _mine(self, path: str) -> str:
        path = checked(path)
        if path not in self.owned:
            mine = ", ".join(sorted(self.owned)) or "none"
            raise NotOwned(
                f"{path!r} is not yours to change; your files are: {mine}. "
                f"If another file must change, say so with raise_callback.",
                reason="not_owned",
            )
        return path

    def _current(self, path: str) -> str | None:
        return None if self._files.info(path) is None else decoded(path, self._files.read(path))

    def _own(self, path: str) -> FileInfo | None:
        """An owned file, or None where there is none or something else, such as a directory."""
        try:
            return self._files.info(path)
        except PathRefused:
            return None

    def _bytes(self, path: str) -> bytes:
        try:
            if path in self.owned:
                return self._files.read(path)
            if self._base is not None:
                return self._store.read(self._base, path)
        except FileMissing:
            pass
        raise FileMissing(f"{path!r} does not exist{self._nearest(path)}", reason="missing")

    def _nearest(self, path: str) -> str:
        name = path.rsplit("/", 1)[-1]
        same = [known for known in self.paths() if known.rsplit("/", 1)[-1] == name]
        return f"; did you mean {same[0]!r}?" if same else "; list_files shows what there is"

    def _readable(self, path: str) -> str | None:
        try:
            return self.text(path)
        except (FileMissing, NotText, LimitExceeded, PathRefused):
            return None


def _globbed(path: str, glob: str) -> bool:
    """Whether a path matches a glob; a leading `**/` stands for no directory as well, as in a shell."""
    return fnmatch.fnmatch(path, glob) or (glob.startswith("**/") and _globbed(path, glob[3:]))


def replaced_once(path: str, text: str, search: str, replace: str) -> str:
    """The text with its one occurrence of `search` replaced.

    Raises:
        EditMismatch: it is empty, absent, or not unique.
    """
    if "\r\n" in text and "\r" not in search + replace and search not in text:
        # Models write line feeds, whatever the file has.
        search, replace = search.replace("\n", "\r\n"), replace.replace("\n", "\r\n")
    count = text.count(search) if search else 0
    if count == 1:
        return text.replace(search, replace, 1)
    if not search:
        what = "the text to search for is empty"
    elif count == 0:
        what = f"the text to search for does not stand in {path!r}; read_file shows its exact lines"
    else:
        what = f"the text to search for stands {count} times in {path!r}; add lines around it until it is unique"
    raise EditMismatch(what, reason="no_match" if count == 0 else "ambiguous")


def encoded(path: str, text: str) -> bytes:
    """The UTF-8 bytes of a text that may be written.

    Raises:
        NotText: it holds a NUL or a lone surrogate.
    """
    if "\x00" in text:
        raise NotText(
            f"the content for {path!r} holds a NUL character; only text files can be written", reason="binary"
        )
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise NotText(
            f"the content for {path!r} is not valid Unicode: {error.reason}", reason="encoding"
        ) from error


def decoded(path: str, content: bytes) -> str:
    """The text of a file's bytes.

    Raises:
        NotText: they are binary or not UTF-8.
    """
    if b"\x00" in content:
        raise NotText(f"{path!r} is a binary file and cannot be read as text", reason="binary")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise NotText(f"{path!r} is not UTF-8 text", reason="encoding") from error
