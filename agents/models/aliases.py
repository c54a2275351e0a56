"""Names that models give to our tools and arguments because they learned others; every translation is logged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

TOOLS: Mapping[str, str] = {
    **dict.fromkeys(
        ("create_file", "write", "save_file", "new_file", "write_to_file", "create", "file_write"), "write_file"
    ),
    **dict.fromkeys(("read", "open_file", "view_file", "cat", "get_file", "file_read", "view"), "read_file"),
    **dict.fromkeys(
        ("edit", "replace", "str_replace", "replace_in_file", "modify_file", "update_file"), "edit_file"
    ),
    **dict.fromkeys(("list", "ls", "list_dir", "list_directory", "dir"), "list_files"),
    **dict.fromkeys(("search", "grep", "find"), "search_files"),
    **dict.fromkeys(("done", "complete", "submit", "finished", "attempt_completion", "final_answer"), "finish"),
    **dict.fromkeys(("delete", "remove_file", "rm"), "delete_file"),
    **dict.fromkeys(("rename", "rename_file", "mv"), "move_file"),
}
ARGUMENTS: Mapping[str, str] = {
    **dict.fromkeys(("filename", "file_path", "filepath", "file", "file_name", "target_file", "name"), "path"),
    **dict.fromkeys(("code", "text", "contents", "file_content", "body", "data", "file_text"), "content"),
    **dict.fromkeys(("old_string", "old_str", "old", "old_text", "find"), "search"),
    **dict.fromkeys(("new_string", "new_str", "new", "new_text", "replacement"), "replace"),
    **dict.fromkeys(("query", "regex"), "pattern"),
    **dict.fromkeys(("result", "message", "description"), "summary"),
    **dict.fromkeys(("directory", "dir"), "folder"),
}


def tool_name(name: str, offered: Mapping[str, Any]) -> str:
    """The offered tool that a name means; the name itself when it means none."""
    if name in offered:
        return name
    plain = name.removeprefix("functions.").strip().lower().replace("-", "_")
    found = TOOLS.get(plain, plain)
    return found if found in offered else name


def arguments(given: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments under the names that the schema knows; a name is only translated into one that was not given."""
    properties = schema.get("properties", {})
    found = {name: value for name, value in given.items() if name in properties}
    for name, value in given.items():
        if name in found:
            continue
        meant = ARGUMENTS.get(name.lower(), name) if isinstance(name, str) else name
        found[meant if meant in properties and meant not in found else name] = value
    return found
