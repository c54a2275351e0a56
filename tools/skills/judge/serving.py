"""Serves programs: for each one a process of its own, which loads it and answers calls that come over a socket.

This file's text is started as a process of its own, so it may import nothing of ours. The process of a program is a fork
of one that has the common modules loaded and has never seen a test, an expected answer or another program.
"""

from __future__ import annotations

import builtins
import contextlib
import gc
import importlib
import json
import os
import resource
import signal
import socket
import sys
import time
from importlib.machinery import ModuleSpec

TYPE_CHECKING = False  # `typing` takes longer to import than a program to start
if TYPE_CHECKING:
    import io
    from collections.abc import Callable, Sequence
    from types import ModuleType
    from typing import Any

TUPLE, PAIRS = "__tuple__", "__pairs__"
LONGEST_ANSWER = 100_000  # characters of JSON
MEMORY = 1_000_000_000
PR_SET_DUMPABLE, PR_SET_CHILD_SUBREAPER = 4, 36  # linux/prctl.h


class NotJson(Exception):
    """A value has no form in JSON."""


class Texts:
    """Imports the modules of a program from their texts: `main`, and `skills.<name>` for each skill it is made of."""

    def __init__(self, texts: dict[str, str]) -> None:
        """Serve these modules and no others."""
        self._texts = {"skills": "", **texts}

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Say whether a module is the program's."""
        return ModuleSpec(name, self, is_package=name == "skills") if name in self._texts else None  # type: ignore[arg-type]

    def create_module(self, spec: ModuleSpec) -> None:
        """Leave it to Python to make an empty module."""

    def exec_module(self, module: ModuleType) -> None:
        """Run a module's text in its namespace."""
        code = compile(self._texts[module.__name__], f"{module.__name__}.py", "exec", dont_inherit=True)
        exec(code, module.__dict__)  # noqa: S102 - this process stands in the sandbox for nothing else


def main(control: socket.socket) -> None:
    """Fork for every connection that comes and say the number of the process; load the modules that are named."""
    hide()
    leave_streams()
    gc.freeze()  # of what is loaded here, no program looks for garbage
    gc.enable()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, 65536, 1)
        if not message:
            return
        if not descriptors:
            for name in json.loads(message):
                importlib.import_module(name)
            control.send(b"+")
            continue
        child = os.fork()
        if child == 0:
            try:
                serve(socket.socket(fileno=descriptors[0]))
            finally:
                os._exit(0)
        os.close(descriptors[0])
        control.send(str(child).encode())


def hide() -> None:
    """Make this process's memory and descriptors unreadable to others of the same user."""
    prctl(PR_SET_DUMPABLE, 0)


def prctl(option: int, value: int) -> None:
    """Change a property of this process (prctl(2)), where the system has it."""
    import ctypes

    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def leave_streams() -> None:
    """Let nothing that is printed from here on come out anywhere."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)


def serve(connection: socket.socket) -> None:
    """Load the program that the first line tells, then answer a call for each line that follows."""
    confine(connection.fileno())
    stream = connection.makefile("rwb")
    told = json.loads(stream.readline())
    begin = time.process_time()
    try:
        entry = load(told["modules"], told["entry"], told["cpu_seconds"])
    except BaseException as error:  # noqa: BLE001 - whatever a program does when it is imported is its own answer
        say(stream, raised(error))
        return
    say(stream, {"kind": "ready", "seconds": time.process_time() - begin})
    for line in stream:
        say(stream, answer(entry, json.loads(line), told["cpu_seconds"]))


def confine(kept: int) -> None:
    """Leave the program no other descriptor, no second process, and bounded files and memory."""
    os.setsid()
    close_others(kept)
    bound(resource.RLIMIT_NPROC, 0)
    bound(resource.RLIMIT_FSIZE, 0)
    bound(resource.RLIMIT_CORE, 0)
    bound(resource.RLIMIT_AS, MEMORY)


def close_others(*kept: int) -> None:
    """Close every descriptor but the standard streams and these."""
    least = 3
    for descriptor in sorted(kept):
        os.closerange(least, descriptor)
        least = descriptor + 1
    os.closerange(least, 1024)


def bound(kind: int, most: int) -> None:
    """Set a limit of this process for good (setrlimit(2))."""
    hard = resource.getrlimit(kind)[1]
    least = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(kind, (least, least))


def load(modules: dict[str, str], entry: str, cpu_seconds: float) -> Callable[..., Any]:
    """The entry function of a program; its process ends when importing it takes longer than the time."""
    sys.meta_path.insert(0, Texts(modules))
    signal.setitimer(signal.ITIMER_PROF, cpu_seconds)
    found: Callable[..., Any] = getattr(importlib.import_module("main"), entry)
    signal.setitimer(signal.ITIMER_PROF, 0)
    if not callable(found):
        raise TypeError(f"{entry} is no function")
    return found


def answer(entry: Callable[..., Any], asked: dict[str, Any], cpu_seconds: float) -> dict[str, Any]:
    """What one call came to; its process ends when it takes longer than the time."""
    before = json.dumps(asked)
    given = unpacked(asked)
    signal.setitimer(signal.ITIMER_PROF, cpu_seconds)
    begin = time.perf_counter()
    try:
        found = returned(entry(*given["args"], **given["kwargs"]))
    except BaseException as error:  # noqa: BLE001 - whatever a program raises is its answer
        found = raised(error)
    signal.setitimer(signal.ITIMER_PROF, 0)
    return {**found, "seconds": time.perf_counter() - begin, "changed": changed(before, given)}


def returned(value: Any) -> dict[str, Any]:
    """The answer that is a value."""
    try:
        form = packed(value)
        size = len(json.dumps(form))
    except NotJson as error:
        return {"kind": "not_json", "error": str(error)}
    except (RecursionError, ValueError):
        return {"kind": "not_json", "error": "its answer holds itself, or is nested too deeply"}
    if size > LONGEST_ANSWER:
        return {"kind": "not_json", "error": f"its answer is {size} characters long, {LONGEST_ANSWER} are allowed"}
    return {"kind": "returned", "value": form}


def raised(error: BaseException) -> dict[str, Any]:
    """The answer that is an exception: by the nearest type that every Python has, and its message."""
    kinds = [kind for kind in type(error).__mro__ if kind.__module__ in sys.stdlib_module_names]
    kind = next((k for k in kinds if k.__module__ == "builtins"), Exception)
    try:
        message = error.args[0] if len(error.args) == 1 and isinstance(error.args[0], str) else str(error)
    except Exception:  # noqa: BLE001 - a program's own exception may fail at telling itself
        message = ""
    return {"kind": "raised", "error": kind.__name__, "message": message[:2000]}


def changed(before: str, given: dict[str, Any]) -> bool:
    """Whether a call changed its own arguments."""
    try:
        return json.dumps(packed(given)) != before
    except (NotJson, RecursionError, ValueError):
        return True


def packed(value: Any) -> Any:
    """A value as JSON holds it, tuples told from lists.

    Raises:
        NotJson: it, or something in it, has no such form.
    """
    if value is None or isinstance(value, bool):
        return value
    for kind in (str, int, float):
        if isinstance(value, kind):
            return kind(value)
    if isinstance(value, tuple):
        return {TUPLE: [packed(item) for item in value]}
    if isinstance(value, list):
        return [packed(item) for item in value]
    if isinstance(value, dict):
        wrong = next((key for key in value if not isinstance(key, str)), None)
        if wrong is not None:
            raise NotJson(f"a key of a dictionary is {wrong!r:.80}: in JSON it must be text")
        pairs = {str(key): packed(item) for key, item in value.items()}
        return {PAIRS: list(pairs.items())} if TUPLE in pairs or PAIRS in pairs else pairs
    raise NotJson(f"a {type(value).__name__} is not JSON: answer with numbers, text, lists and dictionaries")


def unpacked(form: Any) -> Any:
    """The value of a form that `packed` made."""
    if isinstance(form, list):
        return [unpacked(item) for item in form]
    if not isinstance(form, dict):
        return form
    if TUPLE in form:
        return tuple(unpacked(item) for item in form[TUPLE])
    if PAIRS in form:
        return {key: unpacked(item) for key, item in form[PAIRS]}
    return {key: unpacked(item) for key, item in form.items()}


def say(stream: io.BufferedRWPair, message: dict[str, Any]) -> None:
    """Send one line."""
    stream.write(json.dumps(message).encode() + b"\n")
    stream.flush()


def error_of(kind: str, message: str) -> Exception:
    """The exception that an answer tells of, to be raised where the call was made."""
    found = getattr(builtins, kind, RuntimeError)
    if not (isinstance(found, type) and issubclass(found, Exception)):
        return RuntimeError(f"{kind}: {message}")
    return found.__new__(found, message)


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])))
