"""One run at a given level: copy, confine, supervise, bring changes back, account for it."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass, field, replace
from threading import Event
from typing import TYPE_CHECKING

from tools.errors import SandboxUnavailable, ToolRefused
from tools.sandbox.bubblewrap import bubblewrap_identity, bubblewrapped
from tools.sandbox.command import WORKSPACE, Command, Job
from tools.sandbox.execution import Execution, Level, Limits
from tools.sandbox.identity import Identity, own_identity
from tools.sandbox.interpreter import clean_environment
from tools.sandbox.landlocked import landlocked, landlocked_identity, unconfined
from tools.sandbox.supervisor import Supervisor, status_pipe
from tools.sandbox.throwaway import Throwaway, throwaway

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

DEFAULT_LIMITS = Limits()
_WORKSPACE_IN_TEXT = re.compile(rf"(?<![\w./-]){WORKSPACE}(?![\w.-])")


@dataclass(frozen=True)
class Request:
    """What to run, where and within which limits; `/workspace` in it means the workspace at every level."""

    argv: Sequence[str]
    workspace: Path
    limits: Limits = DEFAULT_LIMITS
    environment: Mapping[str, str] = field(default_factory=dict)
    stdin: bytes = b""
    read_only: Sequence[str] = ()
    keep_changes: bool = False
    readable: Sequence[Path] = ()


@dataclass(frozen=True)
class Confinement:
    """How a level runs a job: the user it becomes, the command, and whether it has mounts of its own."""

    identity: Callable[[Sequence[Path]], Identity]
    command: Callable[[Job, int], AbstractContextManager[Command]]
    mounts: bool


CONFINEMENTS: dict[Level, Confinement] = {
    "A": Confinement(bubblewrap_identity, bubblewrapped, mounts=True),
    "B": Confinement(landlocked_identity, landlocked, mounts=False),
    "off": Confinement(lambda _: own_identity(), unconfined, mounts=False),
}


def execute(level: Level, request: Request, stop: Event | None = None) -> Execution:
    """Run `request` at `level` to its end; setting `stop` ends it early.

    Raises:
        SandboxUnavailable: the confinement could not be set up, with its own words.
        StorageFailed: the copy could not be written.
        FileMissing, PathRefused: a read-only path that the workspace does not hold.
        ToolRefused: no command, or words in it that no command can have.
    """
    _check(request)
    confinement = CONFINEMENTS[level]
    with throwaway(request.workspace, confinement.identity(request.readable), request.read_only) as copy:
        job = _job(request, copy, mounts=confinement.mounts)
        with status_pipe() as status, confinement.command(job, status.writer.fileno()) as command:
            supervisor = Supervisor(command, copy, request.limits, stop or Event())
            supervisor.run(request.stdin, status)
        if not supervisor.started:
            raise SandboxUnavailable(
                f"level {level} could not run {request.argv[0]!r}: {supervisor.stderr.text().strip()!r}; "
                "`millwright doctor` shows what this machine lacks"
            )
        finished = request.keep_changes and not supervisor.stopped
        changed, refused = copy.return_changes(request.workspace) if finished else ((), ())
        execution = _account(level, request, supervisor)
        return replace(execution, changed=changed, refused=refused, tampered=copy.tampered())


def _check(request: Request) -> None:
    words = [*request.argv, *request.environment.keys(), *request.environment.values()]
    for word in words:
        if "\0" in word or (not word.isprintable() and _unencodable(word)):
            raise ToolRefused(
                f"{word!r} holds characters that no command can have; leave them out", reason="command"
            )
    if not request.argv or not request.argv[0]:
        raise ToolRefused("there is no command to run; name a program", reason="command")
    if any("=" in name or not name for name in request.environment):
        raise ToolRefused("a name in the environment is empty or holds '='; use letters and '_'", reason="command")


def _unencodable(word: str) -> bool:
    try:
        os.fsencode(word)
    except UnicodeEncodeError:
        return True
    return False


def _job(request: Request, copy: Throwaway, *, mounts: bool) -> Job:
    environment = clean_environment(request.environment, tmp="/tmp" if mounts else str(copy.tmp))  # noqa: S108
    if mounts:
        return Job(request.argv, environment, copy, request.limits, request.readable)
    argv = [_real(word, copy) for word in request.argv]
    real = {name: _real(value, copy) for name, value in environment.items()}
    return Job(argv, real, copy, request.limits, request.readable)


def _real(text: str, copy: Throwaway) -> str:
    return _WORKSPACE_IN_TEXT.sub(lambda _: str(copy.workspace), text)


def _account(level: Level, request: Request, ended: Supervisor) -> Execution:
    return Execution(
        argv=tuple(request.argv),
        exit_code=ended.exit_code,
        timed_out=ended.stopped == "time",
        stdout=ended.stdout.text(),
        stderr=ended.stderr.text(),
        output_bytes=ended.stdout.total + ended.stderr.total,
        output_cut=bool(ended.stdout.cut or ended.stderr.cut),
        output_sha256=hashlib.sha256(ended.stdout.digest + ended.stderr.digest).hexdigest(),
        seconds=ended.seconds,
        level=level,
        held=(),
        missing=(),
        stopped=ended.stopped,
    )
