"""Reading a reply on any rung: native calls, calls and files written as text, or the reason why there is nothing to do."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from langchain_core.messages import ToolCall

from agents.answers import json_objects
from agents.models.protocols import BLOCKED, DONE, Rung
from agents.models.salvage import Edit, examine, examine_edits
from agents.models.salvage.fences import blocks
from agents.models.salvage.reader import Cut
from tools.errors import EditMismatch, PathRefused
from tools.workspace.names import checked
from tools.workspace.view import replaced_once

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from langchain_core.messages import AIMessage, InvalidToolCall

MAX_CALLS = 32
_DONE = re.compile(rf"^\W*{DONE}\W*$", re.MULTILINE)
_BLOCKED = re.compile(rf"^\W*{BLOCKED}\s*(\S.*)$", re.MULTILINE)
_FENCES = re.compile(r"^(?:```|~~~|>{5,9} REPLACE)", re.MULTILINE)


@dataclass(frozen=True)
class Surroundings:
    """What a reply is read against: the tools' schemas, the paths that may be written, and their present content."""

    schemas: Mapping[str, dict[str, Any]]
    closing: str = ""
    paths: Sequence[str] = ()
    files: Mapping[str, str] | None = None
    expected: str = ""
    """The one file that the model was told to output, when it was."""


@dataclass(frozen=True)
class Reading:
    """What a reply asks for; `refusals` tell the model what looked like a call or a file and is none."""

    calls: tuple[ToolCall, ...] = ()
    unreadable: tuple[InvalidToolCall, ...] = ()
    refusals: tuple[str, ...] = ()
    done: bool = False
    left_out: int = 0

    @property
    def empty(self) -> bool:
        """Whether there is nothing to carry out."""
        return not (self.calls or self.unreadable or self.done)


def read_reply(message: AIMessage, rung: Rung, around: Surroundings, turn: int) -> Reading:
    """What a finished reply asks for. Deterministic, and bounded in time for any text."""
    if message.tool_calls or message.invalid_tool_calls:
        calls = message.tool_calls
        left_out = max(0, len(calls) + len(message.invalid_tool_calls) - MAX_CALLS)
        return Reading(tuple(calls[:MAX_CALLS]), tuple(message.invalid_tool_calls[:MAX_CALLS]), left_out=left_out)
    text = message.text
    if rung.textual and around.paths:
        files = _files_in(text, around)
        return files if not files.empty or files.refusals else _calls_in(text, around, turn)
    called = _calls_in(text, around, turn)
    if rung.textual and called.empty:
        return _bare_closing(text, around, turn) or called
    if not called.empty or not around.paths:
        return called
    files = _files_in(text, around)
    owned = [call for call in files.calls if call["args"].get("path") in around.paths]
    return Reading(tuple(_numbered(owned, turn))) if owned else called


def known_files(existing: Mapping[str, str], calls: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """An agent's files as its own calls have left them: what was there, then every call that was not refused.

    Worked out from the conversation and not from the disk, so that a repeated step reads the same.
    """
    files = dict(existing)
    for call in calls:
        if call["refused"]:
            continue
        arguments = call["arguments"]
        match call["name"]:
            case "write_file":
                files[spelled(arguments["path"])] = arguments["content"]
            case "edit_file":
                _edit(files, arguments)
            case "delete_file":
                files.pop(spelled(arguments["path"]), None)
            case "move_file":
                files[spelled(arguments["target"])] = files.pop(spelled(arguments["source"]), "")
    return files


def spelled(path: object) -> str:
    """The one spelling of a path that a model wrote; empty when it is none."""
    try:
        return checked(path) if isinstance(path, str) else ""
    except PathRefused:
        return ""


def _edit(files: dict[str, str], arguments: Mapping[str, str]) -> None:
    path = spelled(arguments["path"])
    try:
        files[path] = replaced_once(path, files.get(path, ""), arguments["search"], arguments["replace"])
    except EditMismatch:
        files.pop(path, None)


def _calls_in(text: str, around: Surroundings, turn: int) -> Reading:
    found = examine(text, around.schemas)
    calls = [_call(call.name, **call.arguments) for call in found.calls]
    return Reading(tuple(_numbered(calls, turn)), refusals=found.refusals)


def _bare_closing(text: str, around: Surroundings, turn: int) -> Reading | None:
    """The closing call when only its arguments were written."""
    names = set(around.schemas.get(around.closing, {}).get("properties", {}))
    for found in json_objects(text):
        if isinstance(found, dict) and found and set(found) <= names:
            return Reading(tuple(_numbered([_call(around.closing, **found)], turn)))
    return None


def _files_in(text: str, around: Surroundings) -> Reading:
    found = examine_edits(text, around.files or {})
    calls = [call for edit in found.edits for call in _as_calls(edit, around)]
    if not calls and not found.refusals and around.expected:
        calls = _nameless(text, around.expected)
    blocked = _BLOCKED.search(_FENCES.split(text)[-1])
    if blocked is not None and "raise_callback" in around.schemas:
        reason = blocked[1].strip()
        calls.append(_call("raise_callback", level="blocker", subject="outside its files", message=reason))
    done = bool(_DONE.search(_FENCES.split(text)[-1]))
    if not calls and not found.refusals:
        # Files that are given again just as they are need no change.
        done = done or bool(examine_edits(text, {}).edits)
    return Reading(tuple(_numbered(calls, 0)), refusals=found.refusals, done=done)


def _as_calls(edit: Edit, around: Surroundings) -> list[ToolCall]:
    path = edit.move_to or edit.path
    calls = [] if edit.content is None else [_call("write_file", path=path, content=edit.content)]
    if (edit.content is None or edit.move_to) and "delete_file" in around.schemas:
        calls.append(_call("delete_file", path=edit.path))
    return calls


def _nameless(text: str, path: str) -> list[ToolCall]:
    """The content of the one file that was asked for, when the reply is one fence without a path."""
    try:
        found = blocks(text.split("\n"))
    except Cut:
        return []
    if len(found) != 1 or not found[0].lines:
        return []
    return [_call("write_file", path=path, content="\n".join(found[0].lines) + "\n")]


def _call(name: str, /, **arguments: Any) -> ToolCall:
    return ToolCall(name=name, args=arguments, id=None, type="tool_call")


def _numbered(calls: Iterable[ToolCall], turn: int) -> list[ToolCall]:
    return [ToolCall({**call, "id": f"text-{turn}-{number}"}) for number, call in enumerate(calls)]
