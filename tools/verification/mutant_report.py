"""Runs the tests once for every mutant, inside the sandbox, and prints what each came to, as one line of JSON.

This file's text, behind that of `judging`, is handed to the sandboxed interpreter. Every run is a fork of one
process that has pytest loaded already, which makes a mutant cost what its tests cost.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path

import pytest

if __name__ != "__main__":  # else they stand above
    from tools.verification.judging import guard, tell, unguard

PATIENCE = 4  # times what the unchanged program needs
LEAST = 2.0


def main(plan: Path, tests: list[str]) -> None:
    """Carry out a plan: `path`, the `sources` of its mutants, and the `seconds` for all of it."""
    guard()
    told = json.loads(plan.read_text(encoding="utf-8"))
    plan.unlink()
    began = time.monotonic()
    outcome = run(tests, told["seconds"])
    limit = max(LEAST, PATIENCE * (time.monotonic() - began))
    if outcome != "passed":
        tell({}, [{"file": told["path"], "message": f"the tests {outcome} on the unchanged program"}])
        return
    outcomes = {}
    module, original = Path(told["path"]), Path(told["path"]).read_bytes()
    for number, source in enumerate(told["sources"]):
        if time.monotonic() - began + limit > told["seconds"]:
            outcome = "skipped"
        else:
            module.write_text(source, encoding="utf-8")
            outcome = run(tests, limit)
        outcomes[str(number)] = {"outcome": outcome, "message": ""}
    module.write_bytes(original)
    tell(outcomes, [])


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
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return "passed" if status == 0 else "failed"
        time.sleep(0.002)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return "failed"


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
