"""The validated filesystem tools, as LangChain tools over one agent's view of the workspace."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Literal

from langchain_core.tools import BaseTool, StructuredTool
from pydantic import BaseModel, Field

from tools.errors import LimitExceeded
from tools.workspace.view import SEARCH_HITS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tools.storage import Record
    from tools.workspace.view import WorkspaceView

READ_CHARACTERS = 60_000
LISTED_FILES = 500
Name = Literal["list_files", "read_file", "search_files", "write_file", "edit_file", "delete_file", "move_file"]
READING: tuple[Name, ...] = ("list_files", "read_file", "search_files")
WRITING: tuple[Name, ...] = ("write_file", "edit_file", "delete_file", "move_file")


class ListFiles(BaseModel):
    """List the files of the workspace with their sizes."""

    folder: str = Field("", description="Only files below this folder; empty for all.")


class ReadFile(BaseModel):
    """Read a text file, whole or some of its lines."""

    path: str = Field(description="Path relative to the workspace.")
    first_line: int = Field(1, ge=1, description="First line to read, from 1.")
    last_line: int | None = Field(None, ge=1, description="Last line to read; leave out for the end.")


class SearchFiles(BaseModel):
    """Find the lines that match a regular expression."""

    pattern: str = Field(min_length=1, max_length=1000, description="Regular expression.")
    glob: str = Field("*", description="Only files whose path matches, such as *.py.")


class WriteFile(BaseModel):
    """Create a file, or replace it whole, with exactly this content."""

    path: str = Field(description="Path relative to the workspace.")
    content: str = Field(description="The complete content of the file.")


class EditFile(BaseModel):
    """Replace one exact piece of a file."""

    path: str = Field(description="Path relative to the workspace.")
    search: str = Field(description="Exact text that stands once in the file.")
    replace: str = Field(description="Text to put there.")


class DeleteFile(BaseModel):
    """Delete a file."""

    path: str = Field(description="Path relative to the workspace.")


class MoveFile(BaseModel):
    """Rename a file to a path that does not exist yet."""

    source: str = Field(description="Path of the file.")
    target: str = Field(description="New path.")


def file_tools(view: WorkspaceView, names: tuple[Name, ...] = READING + WRITING) -> list[BaseTool]:
    """The named tools over one view; each raises ToolRefused with a sentence a model can act on."""
    functions = _Functions(view)
    schemas: dict[Name, tuple[Callable[..., str], type[BaseModel]]] = {
        "list_files": (functions.list_files, ListFiles),
        "read_file": (functions.read_file, ReadFile),
        "search_files": (functions.search_files, SearchFiles),
        "write_file": (functions.write_file, WriteFile),
        "edit_file": (functions.edit_file, EditFile),
        "delete_file": (functions.delete_file, DeleteFile),
        "move_file": (functions.move_file, MoveFile),
    }
    return [
        StructuredTool.from_function(
            func=schemas[name][0], name=name, description=schemas[name][1].__doc__, args_schema=schemas[name][1]
        )
        for name in names
    ]


class _Functions:
    """What each tool does and answers; answers hold no time and no absolute path, so a replay sees the same."""

    def __init__(self, view: WorkspaceView) -> None:
        self._view = view

    def list_files(self, folder: str = "") -> str:
        found = self._view.paths(folder)
        lines = [f"{path} ({size} bytes)" for path, size in list(found.items())[:LISTED_FILES]]
        if len(found) > LISTED_FILES:
            lines.append(f"... and {len(found) - LISTED_FILES} more; name a folder to see them")
        nothing = f"There are no files below {folder!r}." if self._view.paths() else "There are no files yet."
        return "\n".join(lines) or nothing

    def read_file(self, path: str, first_line: int = 1, last_line: int | None = None) -> str:
        # As Python counts lines, which is how an error names them.
        lines = list(io.StringIO(self._view.text(path), newline=""))
        if lines and first_line > len(lines):
            raise LimitExceeded(f"{path!r} has only {len(lines)} lines", reason="range")
        if last_line is not None and last_line < first_line:
            raise LimitExceeded(f"last_line {last_line} is before first_line {first_line}", reason="range")
        part = "".join(lines[first_line - 1 : last_line])
        if len(part) > READ_CHARACTERS:
            raise LimitExceeded(_too_long(path, part, lines, first_line), reason="too_large")
        return part or "(the file is empty)"

    def search_files(self, pattern: str, glob: str = "*") -> str:
        hits = self._view.search(pattern, glob)
        lines = [f"{path}:{number}: {line}" for path, number, line in hits[:SEARCH_HITS]]
        if len(hits) > SEARCH_HITS:
            lines.append("... and more; narrow the pattern or the glob")
        return "\n".join(lines) or "No line matches."

    def write_file(self, path: str, content: str) -> str:
        return _told("Wrote", self._view.write(path, content))

    def edit_file(self, path: str, search: str, replace: str) -> str:
        return _told("Edited", self._view.edit(path, search, replace))

    def delete_file(self, path: str) -> str:
        return f"Deleted {self._view.delete(path)['path']}."

    def move_file(self, source: str, target: str) -> str:
        record = self._view.move(source, target)
        return f"Moved {record['path']} to {record['target']}."


def _too_long(path: str, part: str, lines: list[str], first_line: int) -> str:
    what = f"{path!r} is {len(part)} characters long, more than the {READ_CHARACTERS} one call may read"
    if len(lines[first_line - 1]) > READ_CHARACTERS:
        return f"{what}, and line {first_line} alone is too long; search_files shows what is around a text in it"
    return f"{what}; ask for some of its {len(lines)} lines with first_line and last_line"


def _told(verb: str, record: Record) -> str:
    return f"{verb} {record['path']}: {record['size']} bytes, sha256 {record['after'][:12]}."
