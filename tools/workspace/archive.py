"""The zip that a run is handed over as: the same members give the same bytes anywhere, and reading trusts nothing.

Members are stored, not compressed: deflate's output differs between zlib builds, and then so would the zip's hash.
A zip that someone packed again, compressed, is still read. The format is PKWARE's APPNOTE 6.3 without zip64.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import stat
import struct
import zipfile
import zlib
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, Self

from tools.errors import LimitExceeded, PathRefused, ProofBroken, UsageError
from tools.storage import canonical, storage_failed, sync_directory
from tools.workspace.ledger import sha256
from tools.workspace.names import checked
from tools.workspace.staging import staged

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator, Mapping
    from pathlib import Path

    Content = bytes | Callable[[], IO[bytes]]

MANIFEST = "manifest.json"
VERSION = 1
_EPOCH = (1980, 1, 1, 0, 0, 0)
_BLOCK = 1 << 20
_END = struct.Struct("<4s4H2LH")
_LOCATOR_BYTES = 20
_ENTRY_BYTES = 4096
_UNREADABLE = (
    zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, struct.error, OSError,
)  # fmt: skip


@dataclass(frozen=True)
class Limits:
    """What a zip may hold: number of members, their bytes unpacked, unpacked bytes per packed byte, bytes of all."""

    members: int = 20_000
    member_bytes: int = 500_000_000
    total_bytes: int = 1_000_000_000
    ratio: int = 200


_DEFAULT = Limits()


def write_zip(target: Path, members: Mapping[str, Content], *, limits: Limits = _DEFAULT) -> str:
    """Write the members and a manifest of their SHA-256 to `target`, atomically; return the zip's SHA-256 in hex.

    A member is its bytes, or a function that opens it for reading. Times and modes are fixed, the order is that of
    the names, and the manifest comes last.

    Raises:
        PathRefused: a name that would not be read again.
        LimitExceeded: more than would be read again.
        StorageFailed: the disk refused; `target` is as it was before.
    """
    for name in members:
        _require_name(name, members)
    if MANIFEST in members:
        raise PathRefused(f"{MANIFEST!r} is the zip's own list of members; choose another name", reason="exists")
    if len(members) >= limits.members:
        raise LimitExceeded(
            f"the zip would have {len(members)} members of at most {limits.members - 1}", reason="files"
        )
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with staged(target.parent, f".{target.name}.", mode=0o644) as (file, temporary):
            _write_members(file, members, limits)
            file.seek(0)
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        temporary.replace(target)
        sync_directory(target.parent)
    except OSError as error:
        raise storage_failed(error, target) from error
    return digest


def read_zip(path: Path, *, limits: Limits = _DEFAULT) -> Archive:
    """Open a zip after checking every member: its name, kind, size, and its hash in the manifest.

    Raises:
        UsageError: there is no such file, or it is no zip.
        ProofBroken: naming the first member that does not hold.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise UsageError(
            f"cannot open {str(path)!r}: {error.strerror}; give a zip that Millwright exported"
        ) from error
    try:
        return Archive(file, path, limits)
    except BaseException:
        file.close()
        raise


class Archive:
    """A checked zip; it stays open, and a member is checked again whenever it is read."""

    def __init__(self, file: IO[bytes], path: Path, limits: Limits) -> None:
        """Check the zip in `file`; `read_zip` is the way to get one."""
        self.path = path
        self._limits = limits
        _require_plain_end(file, path, limits)
        try:
            self._zip = zipfile.ZipFile(file)
        except _UNREADABLE as error:
            raise UsageError(f"{str(path)!r} is not a zip that can be read: {error}") from error
        self._file = file
        self._infos = self._checked_infos()
        self._manifest = self._read_manifest()
        for name in self.names:
            self._verify(name)

    def __enter__(self) -> Self:
        """Use it in a with statement."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Let the file go."""
        self._zip.close()
        self._file.close()

    @property
    def names(self) -> list[str]:
        """The members' names, sorted, without the manifest."""
        return sorted(self._manifest)

    def sha256(self, name: str) -> str:
        """The SHA-256 in hex that the manifest states and the member has."""
        return self._manifest[name]

    def read(self, name: str) -> bytes:
        """The whole content of a member.

        Raises:
            ProofBroken: there is no such member, or it changed since it was checked.
        """
        if name not in self._manifest:
            raise self._broken(name, "is not in the zip")
        content = b"".join(self._blocks(name))
        if sha256(content) != self._manifest[name]:
            raise self._broken(name, "does not have the hash that the manifest states")
        return content

    def _verify(self, name: str) -> None:
        digest = hashlib.sha256()
        for block in self._blocks(name):
            digest.update(block)
        if digest.hexdigest() != self._manifest[name]:
            raise self._broken(name, "does not have the hash that the manifest states")

    def _checked_infos(self) -> dict[str, zipfile.ZipInfo]:
        found: dict[str, zipfile.ZipInfo] = {}
        total = 0
        for info in self._zip.infolist():
            total += info.file_size
            problem = _problem(info, self._limits)
            if total > self._limits.total_bytes:
                problem = f"brings the zip to over {self._limits.total_bytes} bytes unpacked"
            if info.filename in found:
                problem = "is there twice"
            if problem:
                raise self._broken(info.orig_filename, problem)
            found[info.filename] = info
        for name in found:
            try:
                _require_name(name, found)
            except PathRefused as refusal:
                raise self._broken(name, f"has a refused name: {refusal}") from refusal
        return found

    def _read_manifest(self) -> dict[str, str]:
        if MANIFEST not in self._infos:
            raise self._broken(MANIFEST, "is missing")
        try:
            manifest = _parsed(b"".join(self._blocks(MANIFEST)))
        except (ValueError, RecursionError) as error:
            raise self._broken(MANIFEST, f"is no manifest of version {VERSION} ({error})") from error
        for name in sorted(self._infos.keys() ^ {*manifest, MANIFEST}):
            where = (
                "in the manifest but not in the zip" if name in manifest else "in the zip but not in the manifest"
            )
            raise self._broken(name, f"is {where}")
        return manifest

    def _blocks(self, name: str) -> Iterator[bytes]:
        info = self._infos[name]
        left = info.file_size
        try:
            with self._zip.open(info) as member:
                while block := member.read(min(_BLOCK, left + 1)):
                    left -= len(block)
                    yield block
        except _UNREADABLE as error:
            raise self._broken(name, f"cannot be read ({error})") from error
        if left:
            raise self._broken(name, "has another size than it states")

    def _broken(self, name: str, problem: str) -> ProofBroken:
        return ProofBroken(f"{str(self.path)!r} does not hold: its member {name!r} {problem}; export the run again")


def _write_members(file: IO[bytes], members: Mapping[str, Content], limits: Limits) -> None:
    digests: dict[str, str] = {}
    left = limits.total_bytes
    with zipfile.ZipFile(file, "w") as archive:
        for name in sorted(members):
            size, digests[name] = _write_member(archive, name, members[name], min(left, limits.member_bytes))
            left -= size
        manifest = canonical({"version": VERSION, "members": digests})
        _write_member(archive, MANIFEST, manifest, min(left, limits.member_bytes))


def _write_member(archive: zipfile.ZipFile, name: str, content: Content, limit: int) -> tuple[int, str]:
    info = zipfile.ZipInfo(name, _EPOCH)
    info.create_system = 3  # Unix, also where the default would be another
    info.external_attr = (stat.S_IFREG | 0o644) << 16
    digest, size = hashlib.sha256(), 0
    with io.BytesIO(content) if isinstance(content, bytes) else content() as source, archive.open(info, "w") as out:
        while block := source.read(_BLOCK):
            size += len(block)
            if size > limit:
                raise LimitExceeded(f"{name!r} would bring the zip over its limits; leave large files out")
            digest.update(block)
            out.write(block)
    return size, digest.hexdigest()


def _require_plain_end(file: IO[bytes], path: Path, limits: Limits) -> None:
    """Bound the directory before `zipfile` reads it whole; without comment and zip64 there is one way to find it."""
    size = os.fstat(file.fileno()).st_size
    file.seek(max(0, size - _END.size - _LOCATOR_BYTES))
    locator, end = file.read(_LOCATOR_BYTES), file.read(_END.size)
    if size < _END.size + _LOCATOR_BYTES or not end.startswith(b"PK\5\6"):
        raise UsageError(
            f"{str(path)!r} is no zip, or has a comment at its end; give a zip that Millwright exported"
        )
    _, _, _, here, entries, directory, _, comment = _END.unpack(end)
    if comment or locator.startswith(b"PK\6\7"):
        raise UsageError(
            f"{str(path)!r} is a zip with a comment or in zip64 form; give one that Millwright exported"
        )
    if max(here, entries) > limits.members or directory > limits.members * _ENTRY_BYTES:
        raise ProofBroken(f"{str(path)!r} has more than {limits.members} members; export the run again")


def _require_name(name: str, names: Container[str]) -> None:
    """Refuse a name that no workspace file may have, or that lies below another member.

    Raises:
        PathRefused: with the reason.
    """
    if checked(name) != name:
        raise PathRefused(f"{name!r} is not spelled {checked(name)!r}; spell it so", reason="spelling")
    parent = name
    while parent := parent.rpartition("/")[0]:
        if parent in names:
            raise PathRefused(
                f"{name!r} lies below {parent!r}, which is a file; rename one", reason="not_a_directory"
            )


def _problem(info: zipfile.ZipInfo, limits: Limits) -> str | None:
    """Why a member is not to be trusted, from the directory alone."""
    kind = stat.S_IFMT(info.external_attr >> 16)
    if info.filename != info.orig_filename:
        return "has a name with a NUL or a foreign separator"
    if kind not in (0, stat.S_IFREG):
        return "is a directory, a link or another special file"
    if info.flag_bits & 1 or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return "is encrypted or packed in an unusual way"
    if info.file_size > limits.member_bytes or info.file_size > limits.ratio * max(1, info.compress_size):
        return f"unpacks from {info.compress_size} to {info.file_size} bytes, which is too much"
    return None


def _parsed(content: bytes) -> dict[str, str]:
    """The hashes of a manifest that is spelled as `write_zip` spells it.

    Raises:
        ValueError: it is not.
    """
    manifest: Any = json.loads(content)
    if (
        canonical(manifest) != content
        or not isinstance(manifest, dict)
        or manifest.keys() != {"version", "members"}
    ):
        raise ValueError("it is not as Millwright writes it")
    if manifest["version"] != VERSION:
        raise ValueError(f"it has version {manifest['version']!r}")
    members = manifest["members"]
    if not isinstance(members, dict) or not all(isinstance(digest, str) for digest in members.values()):
        raise ValueError("it lists no members")
    return members
