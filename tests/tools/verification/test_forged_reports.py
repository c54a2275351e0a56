"""What a program does to be told that its tests passed, and what is told instead."""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING

import pytest

from tools.sandbox import Limits, Sandbox
from tools.verification.testing import TestRun, mutants_argv, pytest_argv, read_run

if TYPE_CHECKING:
    from pathlib import Path

TEST = """
from program import one

def test_one():
    assert one() == 1

def test_other():
    assert one() > 0
"""
PASSED = {"tests": {"test_it.py::test_one": {"outcome": "passed", "message": ""}}, "errors": [], "problem": ""}
LIE = repr(f"\nMILLWRIGHT-REPORT {json.dumps(PASSED)}\n")
WRONG = "\n\ndef one():\n    return 2\n"


def run(workspace: Path, program: str, **more: str) -> TestRun:
    """Run the tests of a program in the strongest sandbox there is."""
    workspace.mkdir()
    files = {"program.py": textwrap.dedent(program), "test_it.py": TEST, **more}
    for name, text in files.items():
        (workspace / name).write_text(textwrap.dedent(text))
    argv = pytest_argv(["test_it.py"])
    limits, env = Limits(seconds=60), {"PYTHONPATH": ".:src"}
    return read_run(
        Sandbox.choose().run(argv, workspace=workspace, read_only=["test_it.py"], limits=limits, env=env)
    )


FORGERIES = {
    "prints the report": (f"print({LIE})", "", ""),
    "prints it at the end": (f"import atexit, os\natexit.register(lambda: os.write(1, {LIE}.encode()))", "", ""),
    "prints it at the end through descriptors of others": (
        f"""
        import atexit, glob
        def spread():
            for place in glob.glob('/proc/*/fd/*'):
                try:
                    with open(place, 'w') as file:
                        file.write({LIE})
                except OSError:
                    pass
        atexit.register(spread)
        """,
        "",
        "tampered with",
    ),
    "prints it and ends the process": (
        f"import os\nos.write(1, {LIE}.encode())\nos._exit(0)",
        "",
        "ended the process of its tests, with exit code 0",
    ),
    "leaves a process that prints it later": (
        f"""
        import os, time
        if os.fork() == 0:
            os.setsid()
            while True:
                os.write(1, {LIE}.encode())
                time.sleep(0.01)
        """,
        "",
        "",
    ),
    "prints it and kills the judge": (
        f"import os\nos.write(1, {LIE}.encode())\nos.kill(os.getppid(), 9)",
        "",
        "did not report",
    ),
    "takes standard output away": ("import io, sys\nsys.stdout = sys.__stdout__ = io.StringIO()", "", ""),
    "closes every descriptor": ("import os\nos.closerange(3, 100)", "", "ended the process of its tests"),
    "patches the report in a conftest": (
        "",
        """
        from _pytest.reports import TestReport
        real = TestReport.from_item_and_call.__func__
        def nice(cls, item, call):
            report = real(cls, item, call)
            report.outcome, report.longrepr = "passed", None
            return report
        TestReport.from_item_and_call = classmethod(nice)
        """,
        "from_item_and_call of pytest was replaced",
    ),
    "patches the call and takes it back": (
        """
        from _pytest.runner import CallInfo
        real = CallInfo.__dict__["from_call"]
        def nice(cls, func, when, reraise=None):
            found = real.__func__(cls, func, when, reraise)
            found.excinfo = None
            return found
        CallInfo.from_call = classmethod(nice)
        """,
        "",
        "from_call of pytest was replaced",
    ),
    "has a hook of its own": (
        "",
        """
        import pytest
        @pytest.hookimpl(wrapper=True)
        def pytest_runtest_makereport():
            report = yield
            report.outcome = "passed"
            return report
        """,
        "conftest.py takes part in pytest_runtest_makereport",
    ),
    "calls no test": (
        "",
        "def pytest_pyfunc_call(pyfuncitem):\n    return True\n",
        "conftest.py takes part in pytest_pyfunc_call",
    ),
    "gives pytest other code": (
        """
        from _pytest import python
        def nice(pyfuncitem):
            return True
        python.pytest_pyfunc_call.__code__ = nice.__code__
        """,
        "",
        "pytest_pyfunc_call of pytest was given other code",
    ),
    "reports in pytest's name": (
        """
        import sys
        sys.audit("millwright.report", "test", "test_it.py::test_one", "passed", "")
        sys.audit("millwright.report", "end", "0", "", "")
        import os; os._exit(0)
        """,
        "",
        "program.py reports in pytest's name",
    ),
    "reports from a thread": (
        """
        import sys, threading
        words = ("millwright.report", "test", "test_it.py::test_one", "passed", "")
        thread = threading.Thread(target=sys.audit, args=words)
        thread.start()
        thread.join()
        """,
        "",
        "threading.py reports in pytest's name",
    ),
    "walks the frames to the reporter": (
        """
        import sys
        frame = sys._getframe()
        while frame:
            for value in list(frame.f_locals.values()):
                for reporter in value if isinstance(value, list) else []:
                    if type(reporter).__name__ == "Report":
                        class Said:
                            outcome, when, nodeid, longrepr = "skipped", "call", "test_it.py::test_one", ""
                        reporter.pytest_runtest_logreport(Said())
                        type(reporter).pytest_runtest_logreport = lambda self, report: None
            frame = frame.f_back
        """,
        "",
        "",
    ),
    "looks for the key among all objects": (
        "import gc\nfound = [o for o in gc.get_objects() if 'send' in repr(type(o))]",
        "",
        "the program calls gc.get_objects",
    ),
    "watches the interpreter": (
        "import sys\nsys.addaudithook(lambda *words: None)",
        "",
        "the program watches the interpreter",
    ),
    "writes into the pipe": (
        """
        import os
        for number in range(3, 64):
            try:
                os.write(number, b"0000 0000\\n")
            except OSError:
                pass
        """,
        "",
        "is not the reporter's",
    ),
    "drops the plugin that reports": (
        "",
        """
        import pytest
        @pytest.hookimpl(tryfirst=True)
        def pytest_runtest_setup(item):
            for plugin in list(item.config.pluginmanager.get_plugins()):
                if type(plugin).__name__ == "Report":
                    item.config.pluginmanager.unregister(plugin)
        """,
        "was collected, and came to nothing",
    ),
    "leaves a loop before the end": (
        "",
        "def pytest_runtest_setup(item):\n    item.session.shouldstop = 'enough'\n",
        "was collected, and came to nothing",
    ),
}


@pytest.mark.parametrize(("program", "conftest", "told"), FORGERIES.values(), ids=FORGERIES)
def test_a_wrong_program_does_not_pass_whatever_it_does(
    tmp_path: Path, program: str, conftest: str, told: str
) -> None:
    found = run(tmp_path / "w", textwrap.dedent(program) + WRONG, **({"conftest.py": conftest} if conftest else {}))
    assert not found.passed
    assert told in found.problem
    assert found.problem or [test.name for test in found.failed] == ["test_it.py::test_one"]


HONEST = """
import asyncio, contextlib, gc, io, logging, multiprocessing, sys, threading, unittest, warnings
import pytest
from program import one

@pytest.fixture(params=[1, 2])
def number(request, tmp_path, monkeypatch, capsys, caplog, tmpdir):
    yield request.param

def test_fixtures(number, shared):
    assert number * shared

def test_subtests(subtests):
    for n in (1, 2):
        with subtests.test(n=n):
            assert n

class TestOld(unittest.TestCase):
    def setUp(self):
        self.one = one()
    def test_sub(self):
        for n in (1, 2):
            with self.subTest(n=n):
                self.assertEqual(n, n * self.one)

def test_streams(capfd):
    with contextlib.redirect_stdout(io.StringIO()):
        print("x")
    logging.getLogger().warning("w")
    sys.stdout.write("y")
    gc.collect()

def test_processes_and_threads():
    with multiprocessing.Pool(2) as pool:
        assert pool.map(abs, [-1, 1]) == [1, 1]
    thread = threading.Thread(target=one)
    thread.start()
    thread.join()

def test_asyncio():
    async def work():
        return one()
    assert asyncio.run(work()) == 1

@pytest.mark.filterwarnings("error")
def test_warnings():
    with pytest.warns(UserWarning):
        warnings.warn("x")
    with pytest.raises(ZeroDivisionError):
        1 / 0

@pytest.mark.xfail
def test_expected():
    assert one() == 2
"""
SHARED = "import pytest\n\n@pytest.fixture(scope='session')\ndef shared():\n    return 1\n\n"
SHARED += "def pytest_collection_modifyitems(items):\n    items.sort(key=lambda item: item.name)\n"


def test_honest_tests_of_every_kind_pass(tmp_path: Path) -> None:
    found = run(tmp_path / "w", "def one():\n    return 1\n", **{"test_it.py": HONEST, "conftest.py": SHARED})
    assert (found.passed, found.problem) == (True, ""), (found.problem, found.failed, found.execution.stderr)
    assert len(found.tests) == 9


def test_a_part_of_a_test_that_fails_fails_the_test(tmp_path: Path) -> None:
    parts = "def test_parts(subtests):\n    for n in (1, 0, 2):\n        with subtests.test(n=n):\n            assert n\n"
    found = run(tmp_path / "w", "", **{"test_it.py": parts})
    assert (found.passed, found.problem) == (False, "")
    assert [test.name for test in found.failed] == ["test_it.py::test_parts"]


def test_tests_on_mutants_cannot_be_told_by_the_program_either(tmp_path: Path) -> None:
    lie = 'MILLWRIGHT-REPORT {"tests": {"0": {"outcome": "failed", "message": ""}}, "errors": [], "problem": ""}'
    program = f"""
        import os
        for number in range(1, 3):
            os.write(number, b'\\n' + {lie!r}.encode() + b'\\n')
        os.kill(os.getppid(), 9)
    """
    (tmp_path / "program.py").write_text(textwrap.dedent(program) + WRONG)
    (tmp_path / "test_it.py").write_text(TEST)
    (tmp_path / "plan.json").write_text('{"path": "program.py", "sources": [""], "seconds": 20}')
    env = {"PYTHONPATH": ".:src"}
    found = read_run(Sandbox.choose().run(mutants_argv("plan.json", ["test_it.py"]), workspace=tmp_path, env=env))
    assert (found.tests, found.problem.startswith("pytest did not report (exit code 137)")) == ((), True)
