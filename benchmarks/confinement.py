"""Escapes from a workspace under a live attacker, and what confinement costs, beside others' file tools in one run.

`python benchmarks/confinement.py [TRIES]` lets every tool do TRIES operations (20,000 by default) of each kind
while another process swaps directories, links and files. An escape is a byte or a name that went in or out of the
workspace. LangChain's tools are measured where `langchain-community` is installed; it is no dependency of ours.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.races import OPERATIONS, RACES, Operation, Tally, Tool, race
from tools.errors import MillwrightError
from tools.workspace.confined import ConfinedDir

if TYPE_CHECKING:
    from collections.abc import Callable

    from tools.workspace.confined import Confinement

try:
    from langchain_community.tools import file_management as langchain
except ImportError:
    langchain = None

CONTENT = b"x = 1\n" * 500
ROUNDS, READS, WRITES = 15, 200, 20


class Confined:
    """Ours."""

    refusals = (MillwrightError,)

    def __init__(self, workspace: Path, way: Confinement | None = None, *, durable: bool = False) -> None:
        self.files = ConfinedDir(workspace, confinement=way, durable=durable)
        self.read, self.write = self.files.read, self.files.write
        self.move, self.delete = self.files.move, self.files.delete

    def list(self, folder: str) -> list[str]:
        return list(self.files.walk(folder))


class Resolved:
    """The usual way: resolve the path, see that it is below the root, use it."""

    refusals = (OSError, RuntimeError)

    def __init__(self, workspace: Path) -> None:
        self.root = workspace.resolve()

    def read(self, path: str) -> bytes:
        return self._place(path).read_bytes()

    def write(self, path: str, content: bytes) -> None:
        self._place(path).write_bytes(content)

    def move(self, source: str, target: str) -> None:
        self._place(source).rename(self._place(target))

    def delete(self, path: str) -> None:
        self._place(path).unlink()

    def list(self, folder: str) -> list[str]:
        return [entry.name for entry in self._place(folder).iterdir()]

    def _place(self, path: str) -> Path:
        place = (self.root / path).resolve()
        if not place.is_relative_to(self.root):
            raise PermissionError(path)
        return place


class LangChain:
    """LangChain's file tools with a `root_dir`, called without the framework around them."""

    # Its move tool refuses a target by naming a variable that it has not set yet.
    refusals = (OSError, RuntimeError, UnboundLocalError)

    def __init__(self, workspace: Path) -> None:
        assert langchain is not None
        root = str(workspace)
        self._read = langchain.ReadFileTool(root_dir=root)._run
        self._write = langchain.WriteFileTool(root_dir=root)._run
        self._move = langchain.MoveFileTool(root_dir=root)._run
        self._delete = langchain.DeleteFileTool(root_dir=root)._run
        self._list = langchain.ListDirectoryTool(root_dir=root)._run

    def read(self, path: str) -> bytes:
        return self._answer(self._read(path)).encode()

    def write(self, path: str, content: bytes) -> None:
        self._answer(self._write(path, content.decode()))

    def move(self, source: str, target: str) -> None:
        self._answer(self._move(source, target))

    def delete(self, path: str) -> None:
        self._answer(self._delete(path))

    def list(self, folder: str) -> list[str]:
        return self._answer(self._list(folder)).splitlines()

    def _answer(self, text: str) -> str:
        if text.startswith("Error"):
            raise PermissionError(text)
        return text


def tools_here(workspace: Path) -> dict[str, Callable[[Path], Tool]]:
    """The tools that this machine can measure, by the name in the table."""
    found: dict[str, Callable[[Path], Tool]] = {
        "Millwright, O_NOFOLLOW walk": partial(Confined, way="nofollow-walk")
    }
    with ConfinedDir(workspace) as files:
        if files.confinement == "openat2":
            found = {"Millwright, openat2": partial(Confined, way="openat2"), **found}
    found["Millwright, best effort"] = partial(Confined, way="best-effort")
    found["resolve, compare, open"] = Resolved
    if langchain is not None:
        found["LangChain's file tools"] = LangChain
    return found


def escapes(tool_of: Callable[[Path], Tool], place: Path, operation: Operation, tries: int) -> Tally:
    """Share the tries of one operation among the attacks that apply to it."""
    attacks = [attack for attack, attacked in RACES if attacked == operation]
    counts = [tries // len(attacks) + (number < tries % len(attacks)) for number in range(len(attacks))]
    tallies = (race(tool_of, place, attack, operation, n) for attack, n in zip(attacks, counts, strict=True))
    return sum(tallies, Tally())


def print_escapes(tools: dict[str, Callable[[Path], Tool]], place: Path, tries: int) -> None:
    """Print a row a tool: escapes of each operation, and of all."""
    print(f"Escapes from the workspace in {tries} tries of each operation under a live attacker:\n")
    print(f"| tool | {' | '.join(OPERATIONS)} | all | refused |")
    print("|---" * (len(OPERATIONS) + 3) + "|")
    for name, tool_of in tools.items():
        tallies = [escapes(tool_of, place, operation, tries) for operation in OPERATIONS]
        whole = sum(tallies, Tally())
        cells = " | ".join(str(tally.escaped) for tally in tallies)
        refused = whole.outcomes["refused"] / whole.tries
        print(f"| {name} | {cells} | **{whole.escaped} of {whole.tries}** | {refused:.0%} |", flush=True)


def seconds(action: Callable[[], object], times: int) -> float:
    """The time of one of `times` calls."""
    start = time.perf_counter()
    for _ in range(times):
        action()
    return (time.perf_counter() - start) / times


def plain_read(path: Path) -> bytes:
    """What a read costs without any check."""
    with open(path, "rb") as file:
        return file.read()


def plain_write(path: Path, *, durable: bool) -> None:
    """What a write costs without any check: in place, not atomic, not read back."""
    with open(path, "wb") as file:
        file.write(CONTENT)
        if durable:
            file.flush()
            os.fsync(file.fileno())


def print_costs(tools: dict[str, Callable[[Path], Tool]], place: Path) -> None:
    """Print the medians of interleaved rounds, each beside plain open() in the same round."""
    (place / "a" / "b").mkdir(parents=True)
    path = place / "a" / "b" / "file"
    path.write_bytes(CONTENT)
    actions: dict[str, tuple[Callable[[], object], int]] = {
        "plain read": (partial(plain_read, path), READS),
        "plain write": (partial(plain_write, path, durable=False), WRITES),
        "plain write, fsync": (partial(plain_write, path, durable=True), WRITES),
    }
    for name, tool_of in tools.items():
        tool = tool_of(place)
        actions[f"{name}: read"] = (partial(tool.read, "a/b/file"), READS)
        actions[f"{name}: write"] = (partial(tool.write, "a/b/file", CONTENT), WRITES)
    durable = Confined(place, durable=True)
    actions["Millwright, as it is by default: write, fsync"] = (partial(durable.write, "a/b/file", CONTENT), WRITES)
    rounds = [{name: seconds(*action) for name, action in actions.items()} for _ in range(ROUNDS)]
    print(f"\nCost of a {len(CONTENT)}-byte file, median of {ROUNDS} interleaved rounds:\n")
    print("| operation | µs | ratio to plain open() |\n|---|---|---|")
    for name in actions:
        basis = (
            "plain read" if name.endswith("read") else "plain write, fsync" if "fsync" in name else "plain write"
        )
        ratio = statistics.median(one[name] / one[basis] for one in rounds)
        print(f"| {name} | {statistics.median(one[name] for one in rounds) * 1e6:.0f} | {ratio:.1f} |")


def main() -> None:
    tries = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        tools = tools_here(place)
        print_escapes(tools, place, tries)
        if langchain is None:
            print("\nLangChain's file tools were not measured: langchain-community is not installed here.")
        (place / "costs").mkdir()
        print_costs(tools, place / "costs")


if __name__ == "__main__":
    main()
