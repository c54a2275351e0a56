"""The right tool with the wrong arguments, or a tool that is not there."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from millwright.gym.misbehaviour import CALLING, WRITING, misbehaviour
from millwright.gym.script import Reply, call

if TYPE_CHECKING:
    from millwright.gym.pupil import Moment


def _calling(moment: Moment, name: Any, arguments: Any) -> Reply:
    return replace(moment.good, tool_calls=[{"name": name, "arguments": arguments}])


@misbehaviour(CALLING, harmless=True)
def string_arguments(moment: Moment) -> Reply:
    """Sends the arguments as a string that holds JSON."""
    name, arguments = moment.called
    return _calling(moment, name, json.dumps(arguments))


@misbehaviour(CALLING)
def broken_arguments(moment: Moment) -> Reply:
    """Sends the arguments as a string that is no JSON."""
    name, arguments = moment.called
    return _calling(moment, name, json.dumps(arguments)[:-3])


@misbehaviour(CALLING)
def null_arguments(moment: Moment) -> Reply:
    """Sends null for the arguments."""
    return _calling(moment, moment.called[0], None)


@misbehaviour(CALLING)
def list_arguments(moment: Moment) -> Reply:
    """Sends a list of values for the arguments."""
    name, arguments = moment.called
    return _calling(moment, name, list(arguments.values()))


@misbehaviour(WRITING)
def number_for_text(moment: Moment) -> Reply:
    """Sends a number where a text belongs."""
    return Reply(tool_calls=[call("write_file", path=moment.path, content=42)])


@misbehaviour(WRITING)
def list_for_path(moment: Moment) -> Reply:
    """Sends a list of paths where one belongs."""
    return Reply(tool_calls=[call("write_file", path=[moment.path], content=moment.text)])


@misbehaviour(WRITING)
def content_as_object(moment: Moment) -> Reply:
    """Sends a JSON file's content as an object, any other as a list of lines."""
    content = json.loads(moment.text) if moment.path.endswith(".json") else moment.text.splitlines()
    return Reply(tool_calls=[call("write_file", path=moment.path, content=content)])


@misbehaviour(WRITING)
def missing_argument(moment: Moment) -> Reply:
    """Leaves the content out."""
    return Reply(tool_calls=[call("write_file", path=moment.path)])


@misbehaviour(WRITING, harmless=True)
def aliased_arguments(moment: Moment) -> Reply:
    """Names the arguments differently."""
    return Reply(tool_calls=[call("write_file", filename=moment.path, code=moment.text)])


@misbehaviour(WRITING, harmless=True)
def aliased_tool(moment: Moment) -> Reply:
    """Names the tool differently."""
    return Reply(tool_calls=[call("create_file", path=moment.path, content=moment.text)])


@misbehaviour(CALLING)
def unknown_tool(moment: Moment) -> Reply:
    """Calls a tool that nobody offered."""
    return Reply(tool_calls=[call("execute_shell", command="touch stock.py settings.json report.py")])


@misbehaviour(CALLING)
def nameless_tool(moment: Moment) -> Reply:
    """Calls a tool without a name."""
    return _calling(moment, "", moment.called[1])


@misbehaviour(CALLING, harmless=True)
def repeated_ids(moment: Moment) -> Reply:
    """Gives every call the same id."""
    name, arguments = moment.called
    function = {"name": name, "arguments": arguments}
    return replace(moment.good, tool_calls=[{"id": "call_0", "function": function}])


@misbehaviour(CALLING, harmless=True)
def no_id(moment: Moment) -> Reply:
    """Gives a call no id."""
    name, arguments = moment.called
    return replace(moment.good, tool_calls=[{"id": "", "function": {"name": name, "arguments": arguments}}])


@misbehaviour(WRITING, harmless=True)
def same_call_five_times(moment: Moment) -> Reply:
    """Makes the right call five times in one reply."""
    return replace(moment.good, tool_calls=list(moment.good.tool_calls) * 5)


@misbehaviour(WRITING)
def forty_calls(moment: Moment) -> Reply:
    """Makes forty calls in one reply, none of them useful."""
    return Reply(tool_calls=[call("read_file", path=f"part{n}.py") for n in range(40)])


@misbehaviour(WRITING, harmless=True)
def finish_with_the_write(moment: Moment) -> Reply:
    """Writes and finishes in one reply, before it knows what came of the write."""
    done = call("finish", summary="Done.", files=[moment.path])
    return replace(moment.good, tool_calls=[*moment.good.tool_calls, done])


@misbehaviour(WRITING)
def finish_before_the_write(moment: Moment) -> Reply:
    """Finishes first and writes after it."""
    done = call("finish", summary="Done.", files=[moment.path])
    return replace(moment.good, tool_calls=[done, *moment.good.tool_calls])
