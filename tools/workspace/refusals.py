"""What the system's error numbers mean for whoever asked for a workspace file."""

from __future__ import annotations

import errno
import stat
from typing import TYPE_CHECKING

from tools.errors import FileMissing, MillwrightError, PathRefused, StorageFailed, WorkspaceChanged
from tools.storage import storage_failed

if TYPE_CHECKING:
    import os

_WAY_OUT = "stop the other program and resume, the run has kept its own record of every file"
_KINDS = {
    stat.S_IFDIR: "directory",
    stat.S_IFLNK: "symbolic link",
    stat.S_IFIFO: "FIFO",
    stat.S_IFSOCK: "socket",
    stat.S_IFCHR: "device",
    stat.S_IFBLK: "device",
}
_REFUSED: dict[int, tuple[str, str, str]] = {
    errno.ELOOP: ("symlink", "is or goes through a symbolic link", "name the real file inside the workspace"),
    errno.EXDEV: (
        "mount",
        "lies on another mounted file system",
        "keep the work in the workspace's own directories",
    ),
    errno.ENOTDIR: ("not_a_directory", "goes through a file as if it were a directory", "choose another directory"),
    errno.EISDIR: ("not_regular", "is a directory, not a file", "name a file in it"),
    errno.ENXIO: ("not_regular", "is a socket or device, not a file", "name a regular file"),
    errno.ENODEV: ("not_regular", "is a device, not a file", "name a regular file"),
    errno.EEXIST: ("exists", "exists already", "choose another name, or delete that file first"),
    errno.ENAMETOOLONG: ("too_long", "is too long for the file system", "choose a shorter name"),
}


def reading_failed(error: OSError, path: str) -> MillwrightError:
    """The error to raise when `path` could not be opened or read."""
    if error.errno == errno.ENOENT:
        return FileMissing(f"there is no file {path!r}; list the files to see which there are", reason="missing")
    if refused := _refused(error, path):
        return refused
    return StorageFailed(
        f"cannot read {path!r}: {_cause(error)}; mend that and resume, nothing that was saved is lost"
    )


def writing_failed(error: OSError, path: str) -> MillwrightError:
    """The error to raise when `path` could not be changed; the file is as it was before."""
    if error.errno == errno.ENOENT:
        return WorkspaceChanged(f"the directory of {path!r} vanished while it was being written; {_WAY_OUT}")
    return _refused(error, path) or storage_failed(error, path)


def changed_meanwhile(path: str) -> WorkspaceChanged:
    """The error to raise when `path` does not hold what was just written there."""
    return WorkspaceChanged(f"{path!r} does not hold what was just written: another program changed it; {_WAY_OUT}")


def require_regular(path: str, found: os.stat_result, *, hard_links: bool = False) -> None:
    """Let only regular files pass, and such with another name only if `hard_links`.

    Raises:
        PathRefused: with `reason` symlink, not_regular or hardlink.
    """
    if not stat.S_ISREG(found.st_mode):
        kind = _KINDS.get(stat.S_IFMT(found.st_mode), "special file")
        reason = "symlink" if stat.S_ISLNK(found.st_mode) else "not_regular"
        raise PathRefused(f"{path!r} is a {kind}, not a file; name a regular file", reason=reason)
    if found.st_nlink > 1 and not hard_links:
        raise PathRefused(
            f"{path!r} is a hard link: its content has {found.st_nlink} names, perhaps outside the workspace; "
            "write the file anew to make it your own",
            reason="hardlink",
        )


def _refused(error: OSError, path: str) -> PathRefused | None:
    reason, what, way_out = _REFUSED.get(error.errno or 0, ("", "", ""))
    return PathRefused(f"{path!r} {what}; {way_out}", reason=reason) if reason else None


def _cause(error: OSError) -> str:
    return error.strerror or type(error).__name__
