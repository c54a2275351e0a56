"""A tool as it is offered to a model: its name, its description and the JSON Schema of its arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langchain_core.utils.function_calling import convert_to_openai_tool

if TYPE_CHECKING:
    from collections.abc import Iterable

    from langchain_core.tools import BaseTool

# Making a schema costs more than all else in a short call, and the same few tools are offered again and again.
_made: dict[tuple[str, str, Any], dict[str, Any]] = {}


def offer(tool: BaseTool) -> dict[str, Any]:
    """The tool in the form of OpenAI, which every provider takes."""
    key = (tool.name, tool.description, tool.args_schema)
    if not isinstance(tool.args_schema, type):
        return convert_to_openai_tool(tool)
    if key not in _made:
        _made[key] = convert_to_openai_tool(tool)
    return _made[key]


def schemas(tools: Iterable[BaseTool]) -> dict[str, dict[str, Any]]:
    """The JSON Schema of each tool's arguments, by the tool's name."""
    return {tool.name: offer(tool)["function"]["parameters"] for tool in tools}
