"""Git objects on disk: written so that no crash leaves a half one, and checked against their id when read.

The layout is git's own (gitrepository-layout(5)). A few objects are written one by one; many go into one pack, for
one sync instead of thousands. Nothing takes a lock, so a killed writer never blocks the next one: an object's name
is the hash of its content, and whoever renames last puts the same bytes there.
"""

from __future__ import annotations

import contextlib
import os
import time
import zlib
from collections import Counter
from typing import TYPE_CHECKING, TypeVar

from dulwich.errors import ApplyDeltaError, ChecksumMismatch, FileFormatException
from dulwich.object_format import SHA1
from dulwich.object_store import DiskObjectStore
from dulwich.objects import Blob, ObjectID, ShaFile, Tree, object_class
from dulwich.pack import full_unpacked_object, load_pack_index, write_pack_data, write_pack_index_v2

from tools.errors import StorageFailed
from tools.storage import storage_failed, sync_directory, write_atomic
from tools.workspace.staging import staged

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from pathlib import Path

Kind = TypeVar("Kind", bound=ShaFile)

PACK_FROM = 32
_HEADER_BYTES = 64
_LOOSE_NAME, _CHECKSUM_BYTES = 38, 20
_THINNED = "info/thinned"
_UNREADABLE = (
    OSError, ValueError, KeyError, AssertionError, EOFError, zlib.error,
    ApplyDeltaError, ChecksumMismatch, FileFormatException,
)  # fmt: skip


class Objects:
    """The `objects` directory of a git repository with SHA-1 ids, given and taken as 40 hex digits."""

    def __init__(self, path: Path) -> None:
        """Read and write below `path`, which exists."""
        self.path = path
        self._store = DiskObjectStore(path, object_format=SHA1)
        self._sizes: dict[str, int] = {}
        self._thinned = self._mark()

    def __contains__(self, object_id: str) -> bool:
        """Tell whether the object is there."""
        return self._loose(object_id).exists() or ObjectID(object_id.encode()) in self._store

    def get(self, object_id: str, kind: type[Kind]) -> Kind:
        """Read an object whose content has that id.

        Raises:
            StorageFailed: it is missing, damaged or of another kind.
        """
        try:
            number, content = self._store.get_raw(ObjectID(object_id.encode()))
            if number != kind.type_num:
                raise ValueError(f"it is no {kind.type_name.decode()}")
            found = kind.from_string(content)
            if found.id != object_id.encode():
                raise ValueError("its content has another id")
        except _UNREADABLE as error:
            if self.thinned and object_id not in self:
                raise StorageFailed(
                    f"git object {object_id} in {str(self.path)!r} went when `millwright gc` thinned the history of "
                    f"its run; only the files of the positions that `millwright runs show` lists are kept"
                ) from error
            raise StorageFailed(
                f"git object {object_id} in {str(self.path)!r} cannot be read: {_cause(error)}; "
                f"`git fsck` lists what is damaged, restore it from a copy"
            ) from error
        self._sizes[object_id] = len(content)
        return found

    def size(self, blob_id: str) -> int:
        """The bytes of a blob, without reading all of it where that can be avoided."""
        if blob_id not in self._sizes:
            size = self._loose_size(blob_id)
            self._sizes[blob_id] = self.get(blob_id, Blob).raw_length() if size is None else size
        return self._sizes[blob_id]

    def put(self, objects: Iterable[ShaFile]) -> None:
        """Add the objects that are not there yet; when this returns they are on the disk.

        Raises:
            StorageFailed: the disk refused; what was there is untouched.
        """
        unique = {item.id.decode(): item for item in objects}
        new = {name: item for name, item in unique.items() if name not in self}
        self._write(len(new), iter(new.values()))
        self._sizes.update({name: item.raw_length() for name, item in unique.items() if isinstance(item, Blob)})

    def copy(self, ids: Iterable[tuple[str, type[ShaFile]]], source: Objects) -> None:
        """Add objects of another store, holding one of them in memory at a time; raises as `get` and `put` do."""
        new = {name: kind for name, kind in ids if name not in self}
        self._write(len(new), (self._noted(source.get(name, kind)) for name, kind in new.items()))

    def link(self, target: Path) -> None:
        """Give every object a second name below the directory `target`; objects never change, so both stay whole.

        Raises:
            StorageFailed: the disk refused; calling it again goes on.
        """
        try:
            for folder in sorted(entry for entry in self.path.iterdir() if entry.is_dir()):
                (target / folder.name).mkdir(exist_ok=True)
                # An index makes its pack count, so packs go first: ".idx" sorts before ".pack".
                for file in sorted(folder.iterdir(), reverse=True):
                    if not file.name.startswith("tmp_"):
                        _link_or_copy(file, target / folder.name / file.name)
                sync_directory(target / folder.name)
            sync_directory(target)
        except OSError as error:
            raise storage_failed(error, target) from error

    def stored(self) -> dict[str, int]:
        """Every object with the bytes that it takes on the disk, without what its pack's index takes."""
        found: Counter[str] = Counter()
        for file in self.path.glob("[0-9a-f][0-9a-f]/*"):
            if len(file.name) == _LOOSE_NAME:
                found[file.parent.name + file.name] += file.stat().st_size
        for index in self._indexes():
            found.update(_packed(index))
        return dict(found)

    def is_content(self, object_id: str) -> bool:
        """Whether it is a tree or a blob, not a commit or a tag; raises as `get` does."""
        return self._kind(object_id) in (Tree, Blob)

    def remove(self, gone: Collection[str]) -> None:
        """Remove objects; a kill at any time leaves every other one whole, and calling it again goes on.

        Raises:
            StorageFailed: an object that stays is damaged, or the disk refused.
        """
        try:
            self._note_thinned()
            for pack in (self.path / "pack").glob("pack-*.pack"):
                # A removal was killed between the index and its pack; nobody writes beside the one that removes.
                if not pack.with_suffix(".idx").exists():
                    pack.unlink()
            for index in self._indexes():
                self._thin_pack(index, gone)
            for name in gone:
                self._loose(name).unlink(missing_ok=True)
            # A second time: who opened the store meanwhile may have seen what is gone now.
            self._note_thinned()
        except OSError as error:
            raise storage_failed(error, self.path) from error
        self._store.close()
        self._store = DiskObjectStore(self.path, object_format=SHA1)
        self._sizes.clear()

    @property
    def thinned(self) -> bool:
        """Whether objects were ever removed here."""
        return bool(self._mark())

    def thinned_by_others(self) -> bool:
        """Whether objects were removed through another instance since this one was opened."""
        return self._mark() != self._thinned

    def close(self) -> None:
        """Let the open packs go."""
        self._store.close()

    def _indexes(self) -> list[Path]:
        return sorted((self.path / "pack").glob("pack-*.idx"))

    def _thin_pack(self, index: Path, gone: Collection[str]) -> None:
        names = sorted(_packed(index))
        kept = [name for name in names if name not in gone]
        if len(kept) == len(names):
            return
        if kept:
            # Always a pack: whoever links this store reads one folder at a time, and must find old or new whole.
            self._write_pack(len(kept), (self.get(name, self._kind(name)) for name in kept))
        # Without its index a pack does not count, so the index goes first.
        index.unlink()
        sync_directory(index.parent)
        index.with_suffix(".pack").unlink(missing_ok=True)

    def _kind(self, object_id: str) -> type[ShaFile]:
        try:
            kind = object_class(self._store.get_raw(ObjectID(object_id.encode()))[0])
        except _UNREADABLE:
            kind = None
        # What cannot be read is asked for as a blob, and that says why not.
        return kind or type(self.get(object_id, Blob))

    def _mark(self) -> str:
        try:
            return (self.path / _THINNED).read_text()
        except FileNotFoundError:
            return ""

    def _note_thinned(self) -> None:
        write_atomic(self.path / _THINNED, str(time.time_ns()).encode())
        self._thinned = self._mark()

    def _noted(self, item: ShaFile) -> ShaFile:
        if isinstance(item, Blob):
            self._sizes[item.id.decode()] = item.raw_length()
        return item

    def _loose(self, object_id: str) -> Path:
        return self.path / object_id[:2] / object_id[2:]

    def _loose_size(self, object_id: str) -> int | None:
        with contextlib.suppress(OSError, ValueError, zlib.error), self._loose(object_id).open("rb") as file:
            head = zlib.decompressobj().decompress(file.read(_HEADER_BYTES), _HEADER_BYTES)
            return int(head.partition(b"\0")[0].removeprefix(b"blob "))
        return None

    def _write(self, count: int, objects: Iterator[ShaFile]) -> None:
        try:
            if count >= PACK_FROM:
                self._write_pack(count, objects)
            else:
                self._write_loose(objects)
        except OSError as error:
            raise storage_failed(error, self.path) from error

    def _write_loose(self, objects: Iterator[ShaFile]) -> None:
        folders = set()
        for item in objects:
            name = item.id.decode()
            folder = self.path / name[:2]
            folder.mkdir(exist_ok=True)
            with staged(folder, "tmp_obj_") as (file, temporary):
                file.write(item.as_legacy_object())
            temporary.replace(folder / name[2:])
            folders.add(folder)
        for folder in sorted(folders):
            sync_directory(folder)
        if folders:
            sync_directory(self.path)

    def _write_pack(self, count: int, objects: Iterator[ShaFile]) -> None:
        folder = self.path / "pack"
        with staged(folder, "tmp_pack_") as (pack, pack_path):
            records = (full_unpacked_object(item) for item in objects)
            entries, checksum = write_pack_data(pack.write, records, SHA1, num_records=count)
        try:
            with staged(folder, "tmp_idx_") as (index, index_path):
                rows = sorted((name, offset, crc) for name, (offset, crc) in entries.items())
                write_pack_index_v2(index, rows, checksum)
            pack_path.replace(folder / f"pack-{checksum.hex()}.pack")
        except BaseException:
            pack_path.unlink(missing_ok=True)
            raise
        # Readers take a pack for whole once its index is there.
        index_path.replace(folder / f"pack-{checksum.hex()}.idx")
        sync_directory(folder)


def _link_or_copy(source: Path, target: Path) -> None:
    if target.exists():
        return
    try:
        os.link(source, target)
    except FileExistsError:
        return
    except OSError:
        with source.open("rb") as original, staged(target.parent, "tmp_obj_") as (file, temporary):
            for block in iter(lambda: original.read(1 << 20), b""):
                file.write(block)
        temporary.replace(target)


def _packed(index: Path) -> dict[str, int]:
    """The objects of a pack with their bytes in it: an object ends where the next one, or the checksum, begins."""
    entries = load_pack_index(index, SHA1)
    try:
        begins = {offset: name.hex() for name, offset, _ in entries.iterentries()}
    finally:
        entries.close()
    end = index.with_suffix(".pack").stat().st_size - _CHECKSUM_BYTES
    offsets = sorted(begins)
    return {begins[offset]: after - offset for offset, after in zip(offsets, [*offsets[1:], end], strict=False)}


def _cause(error: BaseException) -> str:
    return "it is not there" if isinstance(error, KeyError) else str(error) or type(error).__name__
