"""A scripted model that plays a whole crew: it answers by role and assignment, as the prompts ask."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from servers.ollama import ChatRequest, Reply, call

Script = Sequence[Reply] | Callable[[ChatRequest, int], Reply]
_ASSIGNMENT = re.compile(r"Your assignment (\w+):|The assignment (\w+):")
_ATTEMPT = "The attempt before this one failed"


def assignment(
    id: str, *paths: str, role: str = "developer", after: Sequence[str] = (), **more: Any
) -> dict[str, Any]:
    """One assignment of a plan as the manager answers it."""
    planned = {
        "id": id,
        "role": role,
        "title": f"Part {id}",
        "task": f"Write {', '.join(paths)}.",
        "paths": list(paths),
        "depends_on": list(after),
    }
    return {**planned, **more}


def writing(files: Mapping[str, str], *, claims: Sequence[str] | None = None) -> list[Reply]:
    """Write the files in one turn, then finish."""
    return [
        Reply(tool_calls=[call("write_file", path=path, content=text) for path, text in files.items()]),
        Reply(tool_calls=[call("finish", summary="Written.", files=list(files if claims is None else claims))]),
    ]


class Crew:
    """Answers for every role; `developers` maps an assignment (and attempt, `A1#1`) to its replies."""

    def __init__(
        self,
        plan: Sequence[dict[str, Any]] | list[str],
        developers: Mapping[str, Script],
        *,
        findings: Mapping[str, list[dict[str, Any]]] | None = None,
        remediation: Callable[[str], list[dict[str, Any]]] | None = None,
        resolved: bool = True,
        summary: str = "A small program.",
        verdict_on_finding: str = "looked at it",
    ) -> None:
        """`findings` maps an assignment to its review; `remediation` answers the text of the blockers."""
        self.plan = plan
        self.developers = developers
        self.findings = findings or {}
        self.remediation = remediation
        self.resolved = resolved
        self.summary = summary
        self.verdict_on_finding = verdict_on_finding

    def __call__(self, request: ChatRequest) -> Reply:
        system, turn = request.system, sum(m["role"] == "assistant" for m in request.messages)
        if "You turn a goal into" in system:
            return self._planned(turn)
        if "You decide who mends what" in system:
            assert self.remediation is not None, f"unexpected blockers: {request.last}"
            return Reply(json.dumps({"assignments": self.remediation(request.last)}))
        if "submit_review" in system:
            findings = self.findings.get(assignment_of(request), [])
            return Reply(tool_calls=[call("submit_review", findings=findings)])
        if "Judge this problem alone" in system:
            return Reply(json.dumps({"resolved": self.resolved, "reason": self.verdict_on_finding}))
        return self._developed(request, turn)

    def _planned(self, turn: int) -> Reply:
        if self.plan and isinstance(self.plan[0], str):
            return Reply(str(self.plan[min(turn, len(self.plan) - 1)]))
        return Reply(json.dumps({"summary": self.summary, "assignments": list(self.plan)}))

    def _developed(self, request: ChatRequest, turn: int) -> Reply:
        name = assignment_of(request)
        retried = any(_ATTEMPT in m["content"] for m in request.messages if m["role"] == "user")
        script = self.developers.get(f"{name}+" if retried and f"{name}+" in self.developers else name)
        assert script is not None, f"nobody plays {name}"
        if callable(script):
            return script(request, turn)
        return script[min(turn, len(script) - 1)]


def assignment_of(request: ChatRequest) -> str:
    """The assignment that a developer's or auditor's conversation is about."""
    found = [m for message in request.messages for m in _ASSIGNMENT.finditer(message["content"])]
    return next((m[1] or m[2] for m in found), "")
