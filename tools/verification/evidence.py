"""What a finished run left behind, laid out for checking in a private directory that goes away again.

A run comes as its zip or as its own directory; both hold the same members. The directory's logs go on a little after
the zip was written (it is an event itself), and that much is left out here.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tools.errors import ProofBroken, UsageError
from tools.events import Kind
from tools.storage import Record, canonical
from tools.verification.attestation import ATTESTATION, REPORT, WORKSPACE
from tools.workspace.archive import read_zip
from tools.workspace.confined import ConfinedDir
from tools.workspace.ledger import sha256

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

LOGS = ("ledger.jsonl", "events.jsonl", "register.jsonl", "lineage.jsonl", "cassette.jsonl")
RUN = "run.json"
READABLE = "report.md"
PATCHES = "patches/"
# They change after the zip is written, and when a finished run is taken up again.
_UNSETTLED = frozenset({"status", "changed", "why", "verdict", "branch"})


@dataclass(frozen=True)
class Bundle:
    """The members of one run, as files below `folder`, with the SHA-256 of each but the attestation.

    A directory also knows which files may be executed, and the verdict that was noted in `run.json`.
    """

    folder: Path
    digests: Mapping[str, str]
    executable: frozenset[str] | None = None
    noted: str | None = None

    def read(self, name: str) -> bytes:
        """The content of a member."""
        return (self.folder / name).read_bytes()

    def record(self, name: str) -> Record:
        """A member that is one JSON object."""
        found: Record = json.loads(self.read(name))
        return found

    def lines(self, name: str) -> list[Record]:
        """The records of a log."""
        return [json.loads(line) for line in self.read(name).splitlines(keepends=False)]


@contextlib.contextmanager
def bundle_of(source: Path) -> Iterator[Bundle]:
    """The members of a zip, or of a run's directory.

    Raises:
        ProofBroken: a member is missing, or is not what the zip's manifest says.
        UsageError: it is neither, or a run that has not delivered yet.
    """
    with tempfile.TemporaryDirectory(prefix="millwright-proof-") as temporary:
        folder = Path(temporary) / "run"
        (folder / "workspace").mkdir(parents=True)
        yield _copied(source, folder) if source.is_dir() else _unpacked(source, folder)


def settled(manifest: Record) -> bytes:
    """What `run.json` says of a run that stays true: who it is, its goal and its settings."""
    return canonical({name: value for name, value in manifest.items() if name not in _UNSETTLED})


def check_members(bundle: Bundle) -> str:
    """Every record of a run is there, nothing else is, and each log consists of whole lines.

    Raises:
        ProofBroken: naming the first member that is not so.
    """
    for name in (*LOGS, RUN, REPORT, READABLE):
        if name not in bundle.digests:
            raise ProofBroken(f"{name} is missing; export the run again")
    for name in bundle.digests:
        if name not in (*LOGS, RUN, REPORT, READABLE) and not name.startswith((PATCHES, WORKSPACE)):
            raise ProofBroken(f"{name} is no part of a run; remove it")
    for name in LOGS:
        _check_lines(name, bundle.read(name))
    return f"{len(bundle.digests)} members, all there; every log is whole"


def _check_lines(name: str, content: bytes) -> None:
    *lines, rest = content.split(b"\n")
    if rest:
        raise ProofBroken(f"{name} ends in the middle of a line")
    for number, line in enumerate(lines, 1):
        try:
            same = canonical(json.loads(line)) == line
        except (ValueError, RecursionError) as error:
            raise ProofBroken(f"{name} line {number} is not JSON: {error}") from error
        if not same:
            raise ProofBroken(f"{name} line {number} is not spelled as Millwright writes it: it was edited")


def _unpacked(source: Path, folder: Path) -> Bundle:
    digests = {}
    with read_zip(source) as archive:
        for name in archive.names:
            # The archive has checked every name; the folder is new and holds nothing that could lead elsewhere.
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(archive.read(name))
            digests[name] = archive.sha256(name)
    digests.pop(ATTESTATION, None)
    return Bundle(folder, digests)


def _copied(source: Path, folder: Path) -> Bundle:
    manifest = json.loads((source / RUN).read_bytes())
    if manifest.get("status") != "finished":
        raise UsageError(
            f"run {source.name!r} has not delivered what it last did; `millwright runs resume {source.name}` goes on "
            f"with it, and a zip of an earlier delivery can be verified by its path"
        )
    contents = {
        name: (source / name).read_bytes() for name in (*LOGS, REPORT, READABLE) if (source / name).is_file()
    }
    if (source / ATTESTATION).is_file():
        shutil.copyfile(source / ATTESTATION, folder / ATTESTATION)
    contents[RUN] = settled(manifest)
    contents["events.jsonl"] = _before_delivery(contents.get("events.jsonl", b""))
    contents["lineage.jsonl"] = _before_its_end(contents.get("lineage.jsonl", b""))
    contents |= {PATCHES + path.name: path.read_bytes() for path in (source / "patches").glob("*.patch")}
    executable = set()
    with ConfinedDir(source / "workspace") as files:
        for path in files.walk():
            contents[WORKSPACE + path] = files.read(path)
            info = files.info(path)
            if info is not None and info.executable:
                executable.add(path)
    for name, content in contents.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    digests = {name: sha256(content) for name, content in sorted(contents.items())}
    return Bundle(folder, digests, frozenset(executable), str(manifest.get("verdict")))


def _before_delivery(events: bytes) -> bytes:
    """The events up to the last delivery, whose own event came after the zip."""
    lines = events.splitlines(keepends=True)
    for number in reversed(range(len(lines))):
        if json.loads(lines[number]).get("event") == Kind.DELIVERED:
            return b"".join(lines[:number])
    return events


def _before_its_end(lineage: bytes) -> bytes:
    """The lineage without the step of the delivery itself, which was recorded after the zip."""
    lines = lineage.splitlines(keepends=True)
    return b"".join(lines[:-1]) if lines and json.loads(lines[-1]).get("node") == "deliver" else lineage
