"""The self-test: plant what must not be reached, attack it from inside, and see for ourselves what held.

Decided by trial and never by a version: kernels, containers and security modules differ in what they enforce.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tools.errors import SandboxUnavailable
from tools.sandbox import probes
from tools.sandbox.execution import Level, Limits
from tools.sandbox.interpreter import clean_environment, interpreter_roots, python_argv
from tools.sandbox.processes import everybody
from tools.sandbox.running import Request, execute

if TYPE_CHECKING:
    from collections.abc import Iterator

LIMITS = Limits(
    seconds=20, cpu_seconds=10, memory_bytes=300_000_000, processes=12, file_bytes=1_000_000, output_bytes=100_000
)
PREFIX = "millwright-canary-"
LONGEST_SOCKET = 107  # bytes of a path that sockaddr_un has room for (unix(7))
READ_ONLY = "above/locked"
SET_BY_THE_LEVELS = {"PWD", "LC_CTYPE"}


@dataclass(frozen=True)
class Verdict:
    """What a level held and what it did not, each with what the probe reached."""

    level: Level
    held: tuple[str, ...]
    open: dict[str, str] = field(default_factory=dict)


def try_level(level: Level) -> Verdict:
    """Attack `level` once.

    Raises:
        SandboxUnavailable: nothing can be run at this level, with the exact error.
    """
    with contextlib.ExitStack() as stack:
        temporary = tempfile.TemporaryDirectory(prefix=PREFIX, dir=_short_place())
        folder = Path(stack.enter_context(temporary)).resolve()
        planted = stack.enter_context(_planted(folder))
        workspace = _workspace(folder)
        argv = python_argv("-S", "probes.py")
        request = Request(argv, workspace, LIMITS, stdin=planted.described(), read_only=[READ_ONLY])
        execution = execute(level, request)
        if execution.exit_code != 0:
            why = execution.stderr.strip() or f"it ended with {execution.exit_code} {execution.stopped}"
            raise SandboxUnavailable(
                f"level {level} cannot run Python here: {why!r}; `millwright doctor` says more"
            )
        reached = json.loads(execution.stdout) | planted.reached()
    held = tuple(name for name, what in reached.items() if not what)
    return Verdict(level, held, {name: what for name, what in reached.items() if what})


@dataclass
class _Planted:
    """What the host holds while the probes run."""

    folder: Path
    token: str
    sockets: dict[str, socket.socket]
    process: int
    shm: Path

    def described(self) -> bytes:
        """What the probes are told: where everything is."""
        places = {
            "secret": str(self.folder / "secret"),
            "target": str(self.folder / "target"),
            "token": self.token,
            "home": _home_entries(),
            "variables": sorted(set(os.environ) - set(clean_environment({}, tmp="")) - SET_BY_THE_LEVELS),
            "tcp": self.sockets["tcp"].getsockname()[1],
            "udp": self.sockets["udp"].getsockname()[1],
            "unix": str(self.folder / "unix"),
            "datagram": str(self.folder / "datagram"),
            "abstract": self.token,
            "pid": self.process,
            "shm": str(self.shm),
            "memory_bytes": LIMITS.memory_bytes + 1,
            "file_bytes": LIMITS.file_bytes,
            "processes": LIMITS.processes,
            "read_only": READ_ONLY,
            "sleep": self._sleep,
        }
        return json.dumps(places).encode()

    @property
    def _sleep(self) -> str:
        """A number of seconds by which the surviving daemon is known."""
        return f"3600.{int(self.token, 16)}"

    def reached(self) -> dict[str, str]:
        """What only the host can see: datagrams that arrived, a daemon that lives."""
        arrived = {"udp": "udp", "unix_datagram": "datagram"}
        seen = {probe: "it arrived" for probe, name in arrived.items() if _received(self.sockets[name])}
        if _runs(self._sleep):
            seen["daemon"] = "it lives on"
        return seen


@contextlib.contextmanager
def _planted(folder: Path) -> Iterator[_Planted]:
    """Plant everything with the widest permissions, so that the confinement is tested and not the file modes."""
    token = secrets.token_hex(8)
    folder.chmod(0o777)
    for name in ("secret", "target"):
        (folder / name).write_text(token)
        (folder / name).chmod(0o666)
    shm = Path("/dev/shm") if Path("/dev/shm").is_dir() else folder  # noqa: S108
    shm = shm / f"millwright-canary-{token}"
    with contextlib.ExitStack() as stack:
        shm.write_text(token)
        stack.callback(shm.unlink)
        sockets = {name: stack.enter_context(_listening(name, folder, token)) for name in _KINDS}
        # It reads from us, and so ends with us however we end.
        victim = subprocess.Popen(
            ["cat"], stdin=subprocess.PIPE, env={"SECRET": token, "PATH": os.defpath}, start_new_session=True
        )
        stack.enter_context(victim)
        stack.callback(victim.kill)
        yield _Planted(folder, token, sockets, victim.pid, shm)


_KINDS = {
    "tcp": (socket.AF_INET, socket.SOCK_STREAM),
    "udp": (socket.AF_INET, socket.SOCK_DGRAM),
    "unix": (socket.AF_UNIX, socket.SOCK_STREAM),
    "datagram": (socket.AF_UNIX, socket.SOCK_DGRAM),
    "abstract": (socket.AF_UNIX, socket.SOCK_STREAM),
}


def _listening(name: str, folder: Path, token: str) -> socket.socket:
    family, kind = _KINDS[name]
    server = socket.socket(family, kind)
    if family == socket.AF_INET:
        server.bind(("127.0.0.1", 0))
    elif name == "abstract":
        server.bind("\0" + token)
    else:
        server.bind(str(folder / name))
        (folder / name).chmod(0o777)
    if kind == socket.SOCK_STREAM:
        server.listen()
    return server


def planting_places() -> list[str]:
    """Where a self-test may plant, the best first."""
    return list(dict.fromkeys([tempfile.gettempdir(), "/tmp", "/var/tmp", "/dev/shm"]))  # noqa: S108 - mkdtemp makes a private one


def _short_place() -> str:
    """The temporary directory, or another one where that is too long for the path of a socket."""
    places = planting_places()
    room = LONGEST_SOCKET - len(f"/{PREFIX}xxxxxxxx/datagram")
    fitting = [p for p in places if len(os.fsencode(os.path.realpath(p))) <= room and os.access(p, os.W_OK)]
    return fitting[0] if fitting else places[0]


def _received(server: socket.socket) -> bool:
    server.setblocking(False)
    try:
        return bool(server.recv(100))
    except BlockingIOError:
        return False


def _runs(word: str) -> bool:
    """Whether any process has `word` on its command line."""
    for pid in everybody():
        with contextlib.suppress(OSError):
            if word.encode() in Path(f"/proc/{pid}/cmdline").read_bytes():
                return True
    return False


def _home_entries() -> list[str]:
    """Up to fifty entries of the home directory that no program inside has any business with."""
    home = Path(os.path.expanduser("~"))  # noqa: PTH111 - it does not raise where there is no home
    if not home.is_dir() or home == Path("/"):
        return []
    visible = interpreter_roots()
    entries = [entry for entry in _listed(home) if not entry.is_symlink()]
    return [str(entry) for entry in entries if not any(root.is_relative_to(entry) for root in visible)][:50]


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _workspace(folder: Path) -> Path:
    workspace = folder / "workspace"
    (workspace / READ_ONLY).mkdir(parents=True)
    (workspace / READ_ONLY / "file").write_text("locked")
    shutil.copyfile(probes.__file__, workspace / "probes.py")
    return workspace
