"""What the levels have in common: a job to run, and the command that runs it confined."""

from __future__ import annotations

import contextlib
import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from tools.storage import storage_failed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tools.sandbox.execution import Limits
    from tools.sandbox.throwaway import Throwaway

WORKSPACE = "/workspace"


@dataclass(frozen=True)
class Job:
    """A program, its environment, its copy of the workspace, its limits, and what else it may read."""

    argv: Sequence[str]
    environment: dict[str, str]
    copy: Throwaway
    limits: Limits
    readable: Sequence[Path] = ()


@dataclass(frozen=True)
class Command:
    """How a job is started: the program's command, and `descriptors` that it inherits.

    To its status descriptor the process writes `{"child-pid": n}` when the program is about to run, and
    `{"exit-code": n}` when it has ended. To end it: kill the child, which is the first of a process namespace, or
    ask the launcher to.
    """

    argv: list[str]
    environment: dict[str, str]
    ends_by: Literal["killing the child", "asking the launcher"]
    descriptors: tuple[int, ...]
    hidden: str = ""  # a path to take out of the output
    gated: bool = False  # it waits for a first line of input, which is sent once it is bound to our life


@contextlib.contextmanager
def descriptor_with(content: bytes) -> Iterator[int]:
    """A descriptor that a child reads `content` from; no file of that name exists."""
    with contextlib.ExitStack() as stack:
        try:
            file = stack.enter_context(tempfile.TemporaryFile())
            file.write(content)
            file.seek(0)
        except OSError as error:
            raise storage_failed(error, tempfile.gettempdir()) from error
        yield file.fileno()
