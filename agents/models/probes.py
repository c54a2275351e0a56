"""Small questions with answers that code can judge: what a model can do, asked in about twenty calls.

The probes ask for what the crew needs: calls with arguments of every kind, files inside JSON and as text, pieces
of files, long files, instructions followed to the letter, and a word from the very front of a long prompt.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from langchain_core.messages import HumanMessage, SystemMessage

from agents.models.salvage import salvage_edits

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from langchain_core.messages import AIMessage, BaseMessage

FILE_LINES = (40, 120, 300)
CONTEXT_TOKENS = (3_000, 7_000, 14_000, 28_000)
SENTINEL = "marmalade-4417"

SYSTEM = "You do exactly what is asked and say nothing else."
AS_TEXT = (
    "Write each file as its path alone on a line, and below it the whole content between two lines of backticks."
)


@dataclass(frozen=True)
class Probe:
    """One question and the judge of its answer; `group` and `size` make a ladder of growing ones."""

    name: str
    what: str
    text: str
    judge: Callable[[AIMessage], bool]
    tools: tuple[dict[str, Any], ...] = ()
    schema: dict[str, Any] | None = None
    group: str = ""
    size: int = 0
    messages: tuple[BaseMessage, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Make the prompt."""
        object.__setattr__(self, "messages", (SystemMessage(SYSTEM), HumanMessage(self.text)))


def _tool(name: str, what: str, **types: str) -> dict[str, Any]:
    properties: dict[str, Any] = {key: {"type": kind} for key, kind in types.items()}
    for schema in properties.values():
        if schema["type"] == "array":
            schema["items"] = {"type": "string"}
    parameters = {"type": "object", "properties": properties, "required": list(types)}
    return {"type": "function", "function": {"name": name, "description": what, "parameters": parameters}}


WRITE = _tool("write_file", "Create a file with exactly this content.", path="string", content="string")
READ = _tool("read_file", "Read a file.", path="string")
BOOK = _tool("book_table", "Book a table.", guests="integer", outside="boolean", names="array", price="number")

PYTHON = 'def greet(name: str) -> str:\n    """Say "hello" to someone."""\n    return f"hello, {name}\\n"\n'
CONFIG = '{\n  "retries": 3,\n  "paths": ["a\\\\b", "c"],\n  "on": true\n}\n'
NOTE = {
    "title": "Note",
    "type": "object",
    "required": ["kind", "count"],
    "properties": {"kind": {"type": "string"}, "count": {"type": "integer"}},
}
TWO_FILES = "a.py with the line A = 1 and b.py with the line B = 2."
PIECE = (
    "Answer with the line count.py and below it one block of the form\n"
    "<<<<<<< SEARCH\nlines as they are\n=======\nlines as they must be\n>>>>>>> REPLACE"
)
THREE = "def one():\n    return 1\n\n\ndef two():\n    return 2\n\n\ndef three():\n    return 4\n"


def _called(*expected: tuple[str, Mapping[str, Any]]) -> Callable[[AIMessage], bool]:
    """The calls are exactly these; the values of strings that end in a newline may leave it out."""

    def judge(message: AIMessage) -> bool:
        made = [(call["name"], {k: _bare(v) for k, v in call["args"].items()}) for call in message.tool_calls]
        wanted = [(name, {k: _bare(v) for k, v in arguments.items()}) for name, arguments in expected]
        return made == wanted and not message.invalid_tool_calls

    return judge


def _bare(value: Any) -> Any:
    return value.rstrip("\n") if isinstance(value, str) else value


def _files(before: Mapping[str, str], **after: str) -> Callable[[AIMessage], bool]:
    """The text holds these files; a double underscore in a name is a dot."""
    wanted = {name.replace("__", "."): text for name, text in after.items()}

    def judge(message: AIMessage) -> bool:
        found = {edit.path: edit.content for edit in salvage_edits(message.text, before)}
        return {path: _bare(text) for path, text in found.items()} == {p: _bare(t) for p, t in wanted.items()}

    return judge


def _says(pattern: str) -> Callable[[AIMessage], bool]:
    return lambda message: re.fullmatch(pattern, message.text.strip(), re.IGNORECASE | re.DOTALL) is not None


def _answers(expected: Mapping[str, Any]) -> Callable[[AIMessage], bool]:
    def judge(message: AIMessage) -> bool:
        try:
            return bool(json.loads(message.text) == expected)
        except ValueError:
            return False

    return judge


def _long_file(lines: int) -> Probe:
    text = "".join(f"VALUE_{n:03} = {n * 7 % 101}\n" for n in range(1, lines + 1))
    ask, judge = f"{AS_TEXT} Copy this file, whole, as values.py:\n{text}", _files({}, values__py=text)
    return Probe(f"file_{lines}", f"copies a file of {lines} lines", ask, judge, group="file", size=lines)


def _context(tokens: int) -> Probe:
    filler = "".join(f"Entry {n}: the warehouse counted {n * 13 % 97} boxes.\n" for n in range(tokens // 16))
    ask = f"The password is {SENTINEL}.\n{filler}What is the password at the very beginning? Answer with it alone."
    judge = _says(rf"\W*(?:the password is )?{SENTINEL}\W*")
    return Probe(
        f"context_{tokens}", f"reads the front of {tokens} tokens", ask, judge, group="context", size=tokens
    )


def _copies(name: str, what: str, path: str, text: str) -> Probe:
    ask = f"Call write_file for the file {path} with exactly this content:\n{text}"
    return Probe(name, what, ask, _called(("write_file", {"path": path, "content": text})), (WRITE,))


def _says_as_text(name: str, what: str, ask: str, **files: str) -> Probe:
    return Probe(name, what, f"{AS_TEXT} {ask}", _files({}, **files))


def _of_calls() -> list[Probe]:
    two = _called(("read_file", {"path": "x.txt"}), ("read_file", {"path": "y.txt"}))
    booked = {"guests": 3, "outside": True, "names": ["Ann", "Bob", "Cy"], "price": 12.5}
    book = "Book a table outside for 3 guests, Ann, Bob and Cy, at a price of 12.5."
    notes, deep = _called(("read_file", {"path": "notes.txt"})), _called(("read_file", {"path": "a/b.txt"}))
    return [
        Probe("native_call", "calls a tool", "Read the file notes.txt with the tool.", notes, (READ,)),
        Probe("native_choice", "chooses the right tool", "Read the file a/b.txt.", deep, (WRITE, READ, BOOK)),
        Probe("native_two_calls", "makes two calls at once", "Read x.txt and y.txt, in one answer.", two, (READ,)),
        Probe("native_types", "gives arguments their types", book, _called(("book_table", booked)), (BOOK,)),
        _copies("native_code", "puts code into a call", "greet.py", PYTHON),
        _copies("native_json", "puts a JSON file into a call", "config.json", CONFIG),
    ]


def _of_text() -> list[Probe]:
    exactly = "with exactly this content:"
    mended = _files({"count.py": THREE}, count__py=THREE.replace("return 4", "return 3"))

    def in_pieces(message: AIMessage) -> bool:
        return "SEARCH" in message.text and mended(message)

    given = f"This is count.py:\n```python\n{THREE}```\nthree() must return 3."
    whole = f"{AS_TEXT} {given} Write the whole corrected file."
    return [
        _says_as_text(
            "fenced_file", "writes a file as text", f"Write greet.py {exactly}\n{PYTHON}", greet__py=PYTHON
        ),
        _says_as_text(
            "fenced_json", "writes JSON as text", f"Write config.json {exactly}\n{CONFIG}", config__json=CONFIG
        ),
        _says_as_text("fenced_two", "writes two files", f"Write {TWO_FILES}", a__py="A = 1", b__py="B = 2"),
        Probe("whole_edit", "changes a file and keeps the rest", whole, mended),
        Probe(
            "search_replace",
            "replaces a piece of a file",
            f"{given} {PIECE}",
            lambda m: "SEARCH" in m.text and mended(m),
        ),
    ]


def probes() -> list[Probe]:
    """Every probe, the cheap ones first."""
    colours = _says(r"red\s*\n\s*green\s*\n\s*blue")
    apple = _answers({"kind": "apple", "count": 4})
    return [
        Probe("answers", "answers", "Answer with the one word: ready", _says(r"\W*ready\W*")),
        Probe("follows", "follows a form", "Answer with three lines: red, then green, then blue.", colours),
        Probe(
            "json_answer",
            "answers in a JSON form",
            'Answer as JSON: kind is "apple", count is 4.',
            apple,
            schema=NOTE,
        ),
        *_of_calls(),
        *_of_text(),
        *(_long_file(lines) for lines in FILE_LINES),
        *(_context(tokens) for tokens in CONTEXT_TOKENS),
    ]
