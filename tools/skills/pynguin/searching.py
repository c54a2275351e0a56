"""A search by pynguin, in the sandbox: it executes what it is given, over and over, with arguments of all kinds."""

from __future__ import annotations

import asyncio
import json
from contextlib import ExitStack
from typing import TYPE_CHECKING

from tools.errors import ToolRefused
from tools.skills.program import folder_of
from tools.skills.pynguin.hiding import SHOWN, alone
from tools.verification.testing import stable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from tools.skills.pynguin.interpreter import Pynguin
    from tools.skills.running import Runner

SECONDS = 5
"""Of the clock, for the search alone; pynguin takes about 3 more to start and to write down what it found."""

LONGEST = 60
"""Seconds after which it is ended: a call that does not come to an end holds the search up."""

_LATE = 75  # the exit code
_MARK = "pynguin wrote: "
_EXAMPLES, _WRITTEN = "examples", "written"
# Its own check that whoever runs it knows that it executes the module: here nothing is executed but in the sandbox.
_DRIVER = f"""\
import json, os, sys, threading
late = threading.Timer({LONGEST}, os._exit, [{_LATE}])  # no alarm, for pynguin sets its own
late.daemon = True
late.start()
os.environ["PYNGUIN_DANGER_AWARE"] = "1"
from pynguin.cli import main
code = main(["pynguin", *sys.argv[1:]])
try:
    with open("{_WRITTEN}/test_main.py", encoding="utf-8") as file:
        print("\\n{_MARK}" + json.dumps(file.read()))
except FileNotFoundError:
    sys.exit(f"it wrote no tests (code {{code}})")
"""
_OPTIONS = {
    "project_path": ".",
    "module_name": "main",
    "output_path": _WRITTEN,
    # What is sought is a set of tests; the other algorithms keep one test for each branch, which one call may cover.
    "algorithm": "WHOLE_SUITE",
    "use_archive": "False",
    "min_initial_tests": "10",
    "max_initial_tests": "20",
    # The task's examples: from them it learns what a record looks like, and varies them.
    "initial_population_seeding": "True",
    "initial_population_data": _EXAMPLES,
    "seeded_testcases_reuse_probability": "0.5",
    # Only arguments of the declared types: of others a task says nothing.
    "none_weight": "0",
    "any_weight": "0",
    "negate_type": "0",
    # It can tell of one number, to 1 %, and of no list; so only its arguments are taken, and what is right is asked.
    "assertion_generation": "NONE",
    "maximum_test_executions": "1000",
    "no_xfail": "True",
    "test_case_minimization_strategy": "NONE",
    "ignore_modules": "math re",
    "use_master_worker": "False",
    "statistics_backend": "NONE",
    "format_with_black": "False",
}


async def search(
    run: Runner,
    pynguin: Pynguin,
    source: str,
    entry: str,
    examples: Sequence[Mapping[str, Any]],
    *,
    seed: int,
    seconds: int = SECONDS,
) -> str:
    """The tests that pynguin writes of the function `entry` of a module, as text; they call it `sought`.

    Raises:
        ToolRefused: it wrote none, with its last words.
        SandboxUnavailable: nothing here confines a process.
    """
    files = {"main.py": alone(source, entry), f"{_EXAMPLES}/test_main.py": _as_tests(examples)}
    options = {**_OPTIONS, "seed": str(seed), "maximum_search_time": str(seconds)}
    words = [word for name, value in options.items() for word in (f"--{name}", *value.split())]
    argv = [str(pynguin.python), "-B", "-P", "-s", "-c", _DRIVER, *words, "--no-rich"]
    stack = ExitStack()
    try:
        folder = await asyncio.to_thread(stack.enter_context, folder_of(files))
        ended = await run(argv, "pynguin: search", workspace=folder, readable=pynguin.roots)
    finally:
        await asyncio.to_thread(stack.close)
    line = next((one for one in reversed(ended.stdout.splitlines()) if one.startswith(_MARK)), None)
    if line is not None and not ended.output_cut:
        return str(json.loads(line.removeprefix(_MARK)))
    said = stable("\n".join((ended.stdout + ended.stderr).strip().splitlines()[-8:]))
    if ended.stopped or ended.exit_code == _LATE:
        why = f"it was stopped: {ended.stopped or f'it took more than {LONGEST} s'}"
    else:
        why = f"exit code {ended.exit_code}: {said}"
    raise ToolRefused(f"{pynguin.name} wrote no tests of {entry}: {why}", reason="pynguin")


def _as_tests(examples: Sequence[Mapping[str, Any]]) -> str:
    """Calls as tests, in the form in which pynguin reads what it is to begin with."""
    calls = (", ".join(f"{name}={value!r}" for name, value in one.items()) for one in examples)
    tests = [f"def test_{number}():\n    main.{SHOWN}({call})\n" for number, call in enumerate(calls)]
    return "\n\n".join(["import main\n", *tests])
