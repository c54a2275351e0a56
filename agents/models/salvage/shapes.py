"""Which JSON values are calls: the key names that models use for a tool and its arguments."""

from __future__ import annotations

import json
from typing import Any

from agents.models.salvage.reader import Found

_NAMES = ("name", "tool_name", "function_name", "recipient_name", "tool", "action", "function")
_ARGUMENTS = (
    "arguments", "parameters", "args", "input", "params", "tool_input", "action_input", "kwargs",
    "tool_args", "function_args", "tool_arguments", "function_arguments", "tool_parameters",
)  # fmt: skip
_WRAPPERS = ("tool_calls", "tool_call", "function_calls", "function_call", "tool_uses", "function")
_RECORDS = ("result", "output", "observation", "response", "description")
_OTHER_ROLES = ("user", "system", "tool", "function", "developer")


def calls_in(value: Any, format_id: str, *, marked: bool = True, keyed: bool = False) -> tuple[Found, ...]:
    """The calls that a JSON value holds: an object, a list of objects, or an OpenAI message around them.

    Without a marker the arguments must be there, and a list must hold calls only. `keyed` reads Apertus'
    `{"tool": {arguments}}`. An answer that repeats a tool's definition or records a result is no call.
    """
    if isinstance(value, list):
        each = [calls_in(item, format_id, marked=marked, keyed=keyed) for item in value]
        return tuple(call for calls in each for call in calls) if marked or all(each) else ()
    if not isinstance(value, dict) or value.get("role") in _OTHER_ROLES:
        return ()
    for wrapper in _WRAPPERS:
        if isinstance(value.get(wrapper), (dict, list)):
            return calls_in(value[wrapper], format_id, marked=marked)
    if keyed and len(value) == 1:
        name, arguments = next(iter(value.items()))
        return (Found(name, arguments, format_id),) if isinstance(arguments, dict) else ()
    call = _call(value, format_id, marked=marked)
    return (call,) if call is not None else ()


def _call(value: dict[str, Any], format_id: str, *, marked: bool) -> Found | None:
    name = next((value[key] for key in _NAMES if isinstance(value.get(key), str)), None)
    key = next((key for key in _ARGUMENTS if key in value), None)
    if name is None or any(record in value for record in _RECORDS):
        return None
    if key is None:
        return Found(name, {}, format_id) if marked else None
    arguments = arguments_of(value[key])
    if arguments is None or (key == "parameters" and _is_definition(arguments)):
        return None
    return Found(name, arguments, format_id)


def arguments_of(value: Any) -> dict[str, Any] | None:
    """The arguments as an object; JSON inside a string is unwrapped once, and null means none. None if neither."""
    if isinstance(value, str):
        try:
            value = json.loads(value, strict=False) if value.strip() else {}
        except (ValueError, RecursionError):
            return None
    if value is None:
        return {}
    return value if isinstance(value, dict) else None


def _is_definition(arguments: dict[str, Any]) -> bool:
    return arguments.get("type") == "object" and isinstance(arguments.get("properties"), dict)
