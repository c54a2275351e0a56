"""Runs the tests once for every mutant, inside the sandbox, and prints what each came to, as one line of JSON.

This file's text, behind that of `judging`, is handed to the sandboxed interpreter. Every run is a fork of one
process that has pytest loaded already, which makes a mutant cost what its tests cost. What a mutant starts is ended, and
what it writes is taken back, before the next one runs.
"""

import json
import os
import sys
import time
from pathlib import Path

import pytest

if __name__ != "__main__":  # else they stand above
    from tools.verification.judging import end_all, guard, tell, unguard

PATIENCE = 4  # times what the unchanged program needs
LEAST = 2.0


def main(plan: Path, tests: list[str]) -> None:
    """Carry out a plan: `path`, the `sources` of its mutants, and the `seconds` for all of it."""
    guard()
    told = json.loads(plan.read_text(encoding="utf-8"))
    plan.unlink()
    files = Files()
    began = time.monotonic()
    outcome = run(tests, told["seconds"])
    files.take_back()
    limit = max(LEAST, PATIENCE * (time.monotonic() - began))
    if outcome != "passed":
        tell({}, [{"file": told["path"], "message": f"the tests {outcome} on the unchanged program"}])
        return
    outcomes = {}
    module = Path(told["path"])
    for number, source in enumerate(told["sources"]):
        if time.monotonic() - began + limit > told["seconds"]:
            outcome = "skipped"
        else:
            module.write_text(source, encoding="utf-8")
            outcome = run(tests, limit)
            files.take_back()
        outcomes[str(number)] = {"outcome": outcome, "message": ""}
    tell(outcomes, [])


class Files:
    """The files of the workspace as they were, held where no mutant can reach them."""

    def __init__(self) -> None:
        """Remember them."""
        self._contents = {path: (path.read_bytes(), path.stat().st_mode) for path in writable()}

    def take_back(self) -> None:
        """Remove what is new, and write again what was changed or removed."""
        for path in writable():
            if path not in self._contents:
                path.unlink(missing_ok=True)
        for path, (content, mode) in self._contents.items():
            if not path.is_file() or path.read_bytes() != content:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
                path.chmod(mode)


def writable() -> list[Path]:
    """The files below the workspace that a program may change; an interpreter that is mounted there is none of them."""
    found = []
    for folder, folders, names in os.walk("."):
        if os.access(folder, os.W_OK):
            found += [Path(folder, name) for name in names if os.access(Path(folder, name), os.W_OK)]
        else:
            folders.clear()
    return found


def run(tests: list[str], seconds: float) -> str:
    """Run the tests in a process of their own; "passed", or "failed" when they noticed or did not end."""
    child = os.fork()
    if child == 0:
        code = 70
        try:
            os.setsid()
            unguard()
            nowhere = os.open(os.devnull, os.O_RDWR)
            for stream in (0, 1, 2):
                os.dup2(nowhere, stream)
            code = int(pytest.main(["-q", "-x", "-p", "no:cacheprovider", "--tb=no", *tests]))
        finally:
            os._exit(code)
    outcome = "failed"
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            outcome = "passed" if status == 0 else "failed"
            break
        time.sleep(0.002)
    end_all()
    return outcome


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
