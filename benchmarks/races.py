"""A live attacker: a process that swaps directories, links and files under the hands of a file tool.

An arena has a workspace, and beside it an outside directory with a secret. The attacker turns names in the
workspace into links that lead outside and back, as fast as it can; each try uses one such name and looks outside.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, Self

if TYPE_CHECKING:
    from collections.abc import Callable

Attack = Literal["folder", "grandparent", "file", "hard link"]
Operation = Literal["read", "write", "move away", "move in", "delete", "list"]
Outcome = Literal["done", "refused", "escaped"]
ATTACKS: tuple[Attack, ...] = ("folder", "grandparent", "file", "hard link")
OPERATIONS: tuple[Operation, ...] = ("read", "write", "move away", "move in", "delete", "list")
# On a swapped file there is nothing to list, and no place to move another file to.
RACES: tuple[tuple[Attack, Operation], ...] = tuple(
    (attack, operation)
    for attack in ATTACKS
    for operation in OPERATIONS
    if attack in ("folder", "grandparent") or operation not in ("move in", "list")
)

SECRET, INSIDE, MARK = b"SECRET of the outside", b"inside", b"written by the tool"
_ATTACKED = {"folder": "d/f", "grandparent": "a/b/f", "file": "leaf", "hard link": "leaf"}
_SWAPPED = {"folder": "d", "grandparent": "a"}
_OUTSIDE = {"f", "victim", "only-outside"}
_EXCHANGE = 2
_ROUNDS = 64


class Tool(Protocol):
    """The file tool under attack; what it raises when it refuses is in `refusals`."""

    refusals: tuple[type[Exception], ...]

    def read(self, path: str) -> bytes: ...
    def write(self, path: str, content: bytes) -> object: ...
    def move(self, source: str, target: str) -> object: ...
    def delete(self, path: str) -> object: ...
    def list(self, folder: str) -> list[str]: ...


@dataclass
class Tally:
    """How tries ended; `escaped` means that a byte or a name went in or out of the workspace."""

    outcomes: dict[Outcome, int] = field(default_factory=lambda: {"done": 0, "refused": 0, "escaped": 0})

    def __add__(self, other: Tally) -> Tally:
        """Count both."""
        return Tally({outcome: self.outcomes[outcome] + other.outcomes[outcome] for outcome in self.outcomes})

    @property
    def tries(self) -> int:
        """All of them."""
        return sum(self.outcomes.values())

    @property
    def escaped(self) -> int:
        """The tries that were not confined."""
        return self.outcomes["escaped"]


class Arena:
    """A workspace under one kind of attack."""

    def __init__(self, root: Path, attack: Attack) -> None:
        """Lay out the workspace and the outside below the empty directory `root`."""
        self.attack = attack
        self.workspace, self.outside = root / "workspace", root / "outside"
        self.path = _ATTACKED[attack]
        (self.outside / "b").mkdir(parents=True)
        (self.workspace / "d").mkdir(parents=True)
        (self.workspace / "a" / "b").mkdir(parents=True)
        for place in (self.workspace / "d", self.workspace / "a" / "b"):
            (place / "f").write_bytes(INSIDE)
        (self.workspace / "leaf").write_bytes(INSIDE)
        self.far = self.outside / "b" if attack == "grandparent" else self.outside
        self.mend_outside()
        # The real directory keeps its descriptor while its name wanders.
        self._near = os.open((self.workspace / self.path).parent, os.O_RDONLY)

    def __enter__(self) -> Self:
        """Start the attacker, and wait until it attacks."""
        command = [sys.executable, "-S", "-E", __file__, self.attack, str(self.workspace), str(self.outside)]
        self._attacker = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert self._attacker.stdout is not None
        assert self._attacker.stdout.readline() == b"attacking\n"
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the attacker, which must have been at it to the end."""
        assert self._attacker.poll() is None, "the attacker died, so nothing was shown"
        self._attacker.send_signal(signal.SIGKILL)
        self._attacker.communicate()
        os.close(self._near)

    def attack_with(self, tool: Tool, operation: Operation, tries: int) -> Tally:
        """Let `tool` do one operation many times."""
        attempt: Callable[[Tool, int], bool] = getattr(self, "_" + operation.replace(" ", "_"))
        tally = Tally()
        for number in range(tries):
            try:
                escaped = attempt(tool, number)
                outcome: Outcome = "done"
            except tool.refusals:
                escaped, outcome = False, "refused"
            tally.outcomes["escaped" if escaped or self.broken() else outcome] += 1
        return tally

    def broken(self) -> bool:
        """Tell whether the outside is no longer what it was, and mend it."""
        try:
            untouched = (self.far / "f").read_bytes() == SECRET and {place.name for place in self.far.iterdir()} - {
                "b"
            } == _OUTSIDE
        except FileNotFoundError:
            untouched = False
        if not untouched:
            self.mend_outside()
        return not untouched

    def mend_outside(self) -> None:
        """Put the outside back as it was."""
        for place in self.far.iterdir():
            if place.name != "b":
                place.unlink()
        for name in _OUTSIDE:
            (self.far / name).write_bytes(SECRET)

    def _read(self, tool: Tool, _: int) -> bool:
        return SECRET in tool.read(self.path)

    def _write(self, tool: Tool, number: int) -> bool:
        tool.write(self._beside(f"w{number}"), MARK)
        return False

    def _move_away(self, tool: Tool, _: int) -> bool:
        moved = self.workspace / "moved"
        self._plant("f")
        try:
            tool.move(self.path, "moved")
            return not moved.is_symlink() and moved.stat().st_nlink == 1 and moved.read_bytes() == SECRET
        finally:
            moved.unlink(missing_ok=True)

    def _move_in(self, tool: Tool, number: int) -> bool:
        source = self.workspace / "source"
        source.write_bytes(MARK)
        tool.move("source", self._beside(f"m{number}"))
        return False

    def _delete(self, tool: Tool, _: int) -> bool:
        self._plant("victim")
        tool.delete(self._beside("victim"))
        return False

    def _list(self, tool: Tool, _: int) -> bool:
        return any("only-outside" in name for name in tool.list(self.path.rpartition("/")[0]))

    def _beside(self, name: str) -> str:
        return f"{self.path.rpartition('/')[0]}/{name}" if self.attack in _SWAPPED else self.path

    def _plant(self, name: str) -> None:
        """Make sure that the real directory has the file, wherever its name is at the moment."""
        if self.attack in _SWAPPED:
            with contextlib.suppress(FileExistsError):
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
                os.close(os.open(name, flags, dir_fd=self._near))


def race(tool_of: Callable[[Path], Tool], root: Path, attack: Attack, operation: Operation, tries: int) -> Tally:
    """Run one operation against one attack in a fresh arena, which is removed again."""
    arena_root = root / f"{attack}-{operation}".replace(" ", "-")
    with Arena(arena_root, attack) as arena:
        tool = tool_of(arena.workspace)
        tally = arena.attack_with(tool, operation, tries)
    shutil.rmtree(arena_root)
    return tally


def _swap(workspace: Path, outside: Path, name: str) -> None:
    """Exchange a real directory and a link to the outside: in one step, and by renaming with a gap in between."""
    here, bait, away = workspace / name, workspace / "bait", workspace / "away"
    renameat2 = getattr(ctypes.CDLL(None), "renameat2", None)
    if renameat2 is not None:
        for _ in range(_ROUNDS):
            renameat2(-100, os.fsencode(here), -100, os.fsencode(bait), _EXCHANGE)
    for _ in range(_ROUNDS // 4):
        with contextlib.suppress(OSError):
            here.rename(away)
            bait.rename(here)
            here.rename(bait)
            away.rename(here)
    _mend(here, bait, away, outside)


def _mend(here: Path, bait: Path, away: Path, outside: Path) -> None:
    """Put the names back when a tool made a directory in the gap: the attack must go on."""
    while away.exists() or not bait.is_symlink():
        with contextlib.suppress(OSError):
            if away.exists():
                if here.is_symlink():
                    here.unlink()
                shutil.rmtree(here, ignore_errors=True)
                away.rename(here)
            shutil.rmtree(bait, ignore_errors=True)
            bait.symlink_to(outside)


def _place(workspace: Path, outside: Path, *, hard: bool) -> None:
    """Let a name be a link to the secret, then a file, then again."""
    leaf, spare = workspace / "leaf", workspace / "spare"
    for _ in range(_ROUNDS):
        with contextlib.suppress(OSError):
            (os.link if hard else os.symlink)(outside / "f", spare)
            spare.replace(leaf)
        # Renaming one hard link over another does nothing, so the spare may still be there: never write through it.
        spare.unlink(missing_ok=True)
        spare.write_bytes(INSIDE)
        spare.replace(leaf)


def _attack(attack: str, workspace: Path, outside: Path) -> None:
    """Attack until the parent is gone."""
    parent = os.getppid()
    if attack in _SWAPPED:
        (workspace / "bait").symlink_to(outside)
    print("attacking", flush=True)
    while os.getppid() == parent:
        if attack in _SWAPPED:
            _swap(workspace, outside, _SWAPPED[attack])
        else:
            _place(workspace, outside, hard=attack == "hard link")


if __name__ == "__main__":
    _attack(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
