"""The process in which the tests live: pytest reads them once, and every run of them is a fork of it.

It begins before the judge has read its plan, and is told the tests and nothing else. Whatever their code does, while it
is read or while it runs, it finds no plan, no program and no answers here, and no way to say what the judge will report.
Each run is told nothing of the version that it is for, so that a test cannot fail on broken ones alone by knowing them.
"""

from __future__ import annotations

import builtins
import gc
import json
import linecache
import os
import resource
import shutil
import signal
import socket
import sys
from functools import partial
from pathlib import Path

import pytest

from tools.skills.judge import serving
from tools.skills.judge.asking import Running
from tools.skills.judge.proxy import Proxy

TYPE_CHECKING = False  # `typing` takes longer to import than a program to start
if TYPE_CHECKING:
    from typing import Any

TESTS = "test.py"
# Parts of pytest that no test of a function needs; without them every run of the tests takes a third less.
WITHOUT = """cacheprovider debugging doctest faulthandler junitxml legacypath pastebin setuponly setupplan stepwise
threadexception unraisableexception warnings"""
PATIENCE = 2.0  # seconds of processor time for which the tests wait; the program's own limit is the judge's


def main(control: socket.socket) -> None:
    """Read the tests that are told, say what was found, and run them whenever a program is handed over."""
    serving.leave_streams()
    told = json.loads(control.makefile("rb").readline())
    # Nothing but the tests is left in the workspace.
    for place in Path().iterdir():
        shutil.rmtree(place) if place.is_dir() else place.unlink()
    Path(TESTS).write_text(told["tests"], encoding="utf-8")
    proxy = sys.modules["main"] = Proxy(told["entry"], told["parameters"])
    options = ["-q", "-s", "--tb=short", "--rootdir=.", "-o", "addopts="]
    options += [word for name in WITHOUT.split() for word in ("-p", f"no:{name}")]
    tester = Tester(control, proxy)
    pytest.main([*options, TESTS], plugins=[tester])
    tester.say_what_was_read(0)


class Tester:
    """A pytest plugin that runs the tests as often as it is asked to."""

    def __init__(self, control: socket.socket, proxy: Proxy) -> None:
        """Be asked over this socket; the tests ask the program through this module."""
        self._control = control
        self._proxy = proxy
        self._said = False
        self._errors: list[dict[str, str]] = []
        self._outcomes: dict[str, dict[str, str]] = {}
        self._telling = False

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Keep why a file could not be read."""
        if report.failed:
            self._errors.append({"file": report.nodeid, "message": _message(report)})

    def say_what_was_read(self, count: int) -> None:
        """Tell the judge how many tests there are, once."""
        if not self._said:
            self._said = True
            told = {"errors": self._errors, "collected": count}
            self._control.sendall(json.dumps(told).encode() + b"\n")

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Fork for every program that is handed over, and say the number of the process."""
        _forget_file()
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        self.say_what_was_read(len(session.items))
        gc.freeze()  # else the first collection in a fork copies every page
        while True:
            message, descriptors, _, _ = socket.recv_fds(self._control, 4096, 2)
            if not message:
                return True
            child = os.fork()
            if child == 0:
                try:
                    self._sit(session.items, json.loads(message), *descriptors)
                finally:
                    os._exit(0)
            for descriptor in descriptors:
                os.close(descriptor)
            self._control.sendall(b"%d\n" % child)

    def _sit(self, items: list[pytest.Item], how: dict[str, Any], program: int, pipe: int) -> None:
        """Run the tests on one program, and write what they came to as one line into the pipe."""
        confine(program, pipe)
        self._telling = how["telling"]
        self._proxy.running = Running(socket.socket(fileno=program), PATIENCE)
        order = items[::-1] if how["backwards"] else items
        for item, following in zip(order, [*order[1:], None], strict=True):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if not self._telling and self._outcomes[item.nodeid]["outcome"] == "failed":
                break
        proxy = self._proxy
        content = {"tests": self._outcomes, "calls": proxy.calls, "asked": proxy.asked, "all": proxy.all_recorded}
        with open(pipe, "wb") as stream:
            stream.write(json.dumps(content).encode() + b"\n")

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool:
        """Run a test in the place of pytest's own runner, which makes a report of every phase that passes, too."""
        self._outcomes[item.nodeid] = {"outcome": "passed", "message": ""}
        hooks = item.ihook
        if self._phase(item, "setup", partial(hooks.pytest_runtest_setup, item=item)):
            self._phase(item, "call", partial(hooks.pytest_runtest_call, item=item))
        self._phase(item, "teardown", partial(hooks.pytest_runtest_teardown, item=item, nextitem=nextitem))
        return True

    def _phase(self, item: pytest.Item, when: Any, action: partial[Any]) -> bool:
        """Keep what a phase of a test came to, the worst of them; a failure is worded only for who reads it."""
        call = pytest.CallInfo.from_call(action, when, reraise=(pytest.exit.Exception, KeyboardInterrupt))
        if call.excinfo is None and item.get_closest_marker("xfail") is None:
            return True
        if not self._telling and call.excinfo is not None and _is_plain(item, call.excinfo.value):
            self._outcomes[item.nodeid] = {"outcome": "failed", "message": ""}
            return False
        report = item.ihook.pytest_runtest_makereport(item=item, call=call)
        if report.outcome != "passed" and self._outcomes[item.nodeid]["outcome"] != "failed":
            self._outcomes[item.nodeid] = {"outcome": report.outcome, "message": _message(report)}
        return bool(report.passed)


def confine(*kept: int) -> None:
    """Leave a run of the tests no other descriptor, no second process or thread, and no file that outlives it."""
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    serving.close_others(*kept)
    serving.bound(resource.RLIMIT_NPROC, 0)
    serving.bound(resource.RLIMIT_FSIZE, 0)


def _is_plain(item: pytest.Item, error: BaseException) -> bool:
    """Whether an exception fails a test in any case: one of Python's own, or pytest's word for a failure."""
    if item.get_closest_marker("xfail") is not None:
        return False
    kind = type(error)
    return kind is pytest.fail.Exception or getattr(builtins, kind.__name__, None) is kind


def _forget_file() -> None:
    """Remove the tests from the disk; Python still knows their lines, to show them in a failure."""
    path = Path(TESTS).resolve()
    if path.exists():
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        linecache.cache[str(path)] = (sum(map(len, lines)), None, lines, str(path))
        path.unlink()


def _message(report: pytest.TestReport | pytest.CollectReport) -> str:
    """The exception's own message where pytest knows it, else the last lines of its text."""
    if report.outcome == "passed":
        return ""
    crash = getattr(report.longrepr, "reprcrash", None)
    if crash is not None:
        # What the program raised was raised again by us: that line would tell its author nothing.
        where = Path(crash.path).name
        return f"{crash.message} (line {crash.lineno} of {where})" if where == TESTS else str(crash.message)
    if isinstance(report.longrepr, tuple):
        return str(report.longrepr[-1])
    return "\n".join(str(report.longrepr).splitlines()[-12:])
