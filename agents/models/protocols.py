"""The rungs of the protocol ladder: how a model is asked to act, from native tool calls to files as plain text.

A file's content inside JSON is what local models get wrong most, so below native tool calls there is a rung where no
tool is offered: a file is its path on a line and its whole content in a fence. Replacing pieces (SEARCH/REPLACE) is
only for a model that has earned it.
"""

from __future__ import annotations

import json
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DONE = "DONE"
BLOCKED = "BLOCKED:"

FENCED = """\
How to answer: tools are switched off, so write files as text. For each file write its path alone on a line, and below it
the whole content between two lines of three backticks, with nothing left out. Text around the files is not read, except
for a last line that is either DONE, when every file is as it should be, or BLOCKED: and the reason, when something
outside your files stops you."""

EDITS = """
A file that exists already may be changed piece by piece instead: its path alone on a line, and below it blocks of
<<<<<<< SEARCH
lines exactly as they stand in the file
=======
the lines to put there
>>>>>>> REPLACE"""

CALL = """\
How to answer: tools are switched off. Write one JSON object and nothing else, with the two members "name", which is
{name}, and "arguments", which is an object that fits this JSON Schema:
{schema}"""


class Rung(StrEnum):
    """How a model is asked to act."""

    NATIVE = "native"
    FENCED = "fenced"
    EDITS = "edits"

    @property
    def textual(self) -> bool:
        """Whether no tools are offered and the answer is read as text."""
        return self is not Rung.NATIVE


def how_to_answer(rung: Rung, paths: Sequence[str], closing: str, schemas: Mapping[str, dict[str, Any]]) -> str:
    """What a model is told about the form of its answer on a textual rung."""
    if not paths:
        schema = json.dumps(schemas.get(closing, {}), sort_keys=True)
        return CALL.format(name=json.dumps(closing), schema=schema)
    return FENCED + (EDITS if rung is Rung.EDITS else "")


def only_the_file(path: str) -> str:
    """The shortest form of the request, for a model that talks instead."""
    return (
        f"Output only the file {path}: the line\n{path}\nand below it the whole content between two lines of three "
        f"backticks. Nothing else."
    )


def as_text(messages: Sequence[BaseMessage]) -> list[BaseMessage]:
    """The same conversation without calls and tool results, for a model to which no tools are offered."""
    found: list[BaseMessage] = []
    for message in messages:
        if isinstance(message, ToolMessage):
            found.append(HumanMessage(f"Result of {message.name}: {message.text}"))
        elif isinstance(message, AIMessage):
            found.append(AIMessage(_said(message)))
        else:
            found.append(message)
    return found


def _said(message: AIMessage) -> str:
    called = [
        f"(used {call['name']} {call['args'].get('path', '')})".replace(" )", ")") for call in message.tool_calls
    ]
    return "\n".join(filter(None, [message.text, *called])) or "(nothing)"
