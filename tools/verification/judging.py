"""What the runners of tests share: a parent that never loads the program under test, and has the last word.

The text of this file is put before that of `pytest_report` or `mutant_report` and handed to the sandboxed interpreter,
so it may import nothing of ours. The program runs in a child. Whatever it writes to standard output, when it ends its
process, and whatever it leaves running: the report is printed by the parent, after every process below it has ended.
Whoever reads it takes the last line, and only from a parent that ended by itself.
"""

import ctypes
import json
import os
import select
import signal
import sys
from hashlib import blake2b
from pathlib import Path

MARK = "MILLWRIGHT-REPORT "
LOOK = 0.05  # seconds between two looks at whether the child has ended, should another process hold its pipe
SET_DUMPABLE, SET_CHILD_SUBREAPER = 4, 36  # linux/prctl.h


def guard() -> None:
    """Inherit every orphan of the program, and let no process of the same user look into this one."""
    if sys.platform.startswith("linux"):
        libc = ctypes.CDLL(None)
        libc.prctl(SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        libc.prctl(SET_DUMPABLE, 0, 0, 0, 0)


def unguard() -> None:
    """In a child: be a process like any other again."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(SET_DUMPABLE, 1, 0, 0, 0)


def end_all() -> None:
    """Kill every process below this one and wait for its end."""
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    while children.exists():
        for pid in children.read_text().split():
            os.kill(int(pid), signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def heard(child: int, pipe: int) -> tuple[bytes, int]:
    """Everything that the child wrote into the pipe until it ended, and its exit code."""
    said, status = b"", None
    while True:
        ready, _, _ = select.select([pipe], [], [], LOOK)
        data = os.read(pipe, 65536) if ready else b""
        said += data
        if status is None:
            ended, code = os.waitpid(child, 0 if ready and not data else os.WNOHANG)
            status = code if ended else None
        elif not data:
            return said, os.waitstatus_to_exitcode(status)


def signed(key: bytes, number: int, payload: bytes) -> bytes:
    """A message as the child sends it: payload in hexadecimal, and what only a holder of the key can write."""
    tag = blake2b(b"%d %s" % (number, payload), key=key, digest_size=16).hexdigest().encode()
    return tag + b" " + payload.hex().encode() + b"\n"


def opened(key: bytes, said: bytes) -> list[bytes]:
    """The payloads of what the child sent, in order.

    Raises:
        ValueError: something else wrote into the pipe, or something is missing.
    """
    found: list[bytes] = []
    for line in said.splitlines(keepends=True):
        payload = bytes.fromhex(line.partition(b" ")[2].decode())
        if signed(key, len(found), payload) != line:
            raise ValueError(f"message {len(found)} is not the reporter's")
        found.append(payload)
    return found


def tell(tests: dict[str, dict[str, str]], errors: list[dict[str, str]], problem: str = "") -> None:
    """Print the report as the last line there is."""
    end_all()
    told = json.dumps({"tests": tests, "errors": errors, "problem": problem})
    print("\n" + MARK + told, flush=True)  # noqa: T201
