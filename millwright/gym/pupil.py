"""The otherwise capable model: it plays every role of the build well, so that a misbehaviour is all that is wrong."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from agents import auditor, manager
from millwright.gym import task
from millwright.gym.script import ChatRequest, Reply, call
from tools.verification.testing import is_test

if TYPE_CHECKING:
    from collections.abc import Mapping

Kind = Literal["plan", "remediate", "write", "finish", "review", "recheck", "text"]
FIRST = "A1"
_ASSIGNMENT = re.compile(r"Your assignment (\w+):|The assignment (\w+):")
_OWN = re.compile(r"\nYour files:\n((?:- \S+\n?)+)")
_BLOCKER = re.compile(r"^(B\d+) \[(\w+)\] assignment (\w*), file", re.MULTILINE)
_OWNER = re.compile(r"^- (\S+): (\w+)$", re.MULTILINE)


@dataclass(frozen=True)
class Moment:
    """One request of the build, what it is about, and what a capable model answers."""

    kind: Kind
    request: ChatRequest
    good: Reply
    assignment: str = ""
    path: str = ""
    text: str = ""
    strikes: int = field(default=0, compare=False)

    @property
    def tools(self) -> list[str]:
        """The tools that are offered."""
        return self.request.tools

    @property
    def late(self) -> bool:
        """Whether the first assignment has landed already."""
        return self.assignment not in ("", FIRST)

    @property
    def called(self) -> tuple[str, dict[str, Any]]:
        """Name and arguments of the right call."""
        (only,) = self.good.tool_calls
        return only["name"], only["arguments"]


class Pupil:
    """Recognises each request of the build, and knows the right answer to it."""

    def __init__(self, *, tested: bool) -> None:
        """Know the task with tests, or the one without."""
        self._tested = tested
        self._files = task.files(tested=tested)

    def moment(self, request: ChatRequest) -> Moment:
        """What a request is about, with the right answer."""
        system, assignment = request.system, _assignment(request)
        if manager.PLANNING in system:
            return Moment("plan", request, _told(task.plan(tested=self._tested)))
        if manager.REMEDIATING in system:
            return Moment("remediate", request, _told(_remediation(request)))
        if auditor.RECHECK in system:
            return Moment("recheck", request, _told({"resolved": True, "reason": "It is right now."}))
        if auditor.SYSTEM in system:
            return Moment("review", request, Reply(tool_calls=[call("submit_review", findings=[])]), assignment)
        return self._development(request, assignment)

    def _development(self, request: ChatRequest, assignment: str) -> Moment:
        own = {path: self._files[path] for path in _own(request) if path in self._files}
        if not request.tools:
            path, text = next(iter(own.items()), ("", ""))
            return Moment("text", request, Reply(_fenced(own)), assignment, path, text)
        for path, text in own.items():
            if not _written(request, path):
                reply = Reply(tool_calls=[call("write_file", path=path, content=text)])
                return Moment("write", request, reply, assignment, path, text)
        reply = Reply(tool_calls=[call("finish", summary="Every file is written.", files=list(own))])
        return Moment("finish", request, reply, assignment)


def _assignment(request: ChatRequest) -> str:
    found = [m for message in request.messages for m in _ASSIGNMENT.finditer(message["content"])]
    return next((m[1] or m[2] for m in found), "")


def _own(request: ChatRequest) -> list[str]:
    found = [m[1] for message in request.messages for m in _OWN.finditer(message["content"])]
    return re.findall(r"^- (\S+)", found[-1], re.MULTILINE) if found else []


def _written(request: ChatRequest, path: str) -> bool:
    """Whether a tool said so; a model takes the tool's word."""
    said = [m["content"] for m in request.messages if m["role"] in ("tool", "user")]
    return any(f"Wrote {path}: " in text for text in said)


def _fenced(files: Mapping[str, str]) -> str:
    """Every file as its path and a fence."""
    return "\n\n".join(f"{path}\n```{path.rpartition('.')[2]}\n{text}```" for path, text in files.items())


def _told(answer: Mapping[str, Any]) -> Reply:
    return Reply(json.dumps(answer))


def _remediation(request: ChatRequest) -> dict[str, Any]:
    """One assignment for each that is to blame, with all its files; a test that fails blames what it tests."""
    text = request.messages[1]["content"]
    owners = dict(_OWNER.findall(text))
    blamed: dict[str, list[str]] = {}
    for blocker, kind, owner in _BLOCKER.findall(text):
        known = owner in owners.values() and kind != "test_failure"
        blamed.setdefault(owner if known else FIRST, []).append(blocker)
    return {"assignments": [_mending(owner, blockers, owners) for owner, blockers in blamed.items()]}


def _mending(owner: str, blockers: list[str], owners: Mapping[str, str]) -> dict[str, Any]:
    paths = [path for path, known in owners.items() if known == owner]
    role = "tester" if any(map(is_test, paths)) else "developer"
    told = {"role": role, "title": "Mend", "task": "Write them anew, as the goal says."}
    return {**told, "blockers": blockers, "retry_for": owner, "paths": paths}
