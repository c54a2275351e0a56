"""What a model's server does wrong: statuses, broken streams, silence."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from millwright.gym.misbehaviour import ANY, CALLING, misbehaviour
from millwright.gym.script import Reply

if TYPE_CHECKING:
    from millwright.gym.pupil import Moment

LONG = 120.0


@misbehaviour(CALLING, harmless=True)
def unreadable_tool_call(moment: Moment) -> Reply:
    """Answers 500 because it cannot parse the model's tool call."""
    error = 'error parsing tool call: raw=\'{"path":"stock.py","content":"\', err=unexpected end of JSON input'
    return Reply(status=500, error=error)


@misbehaviour(CALLING, harmless=True, capabilities=("completion",))
def no_tools(moment: Moment) -> Reply:
    """Has a model without tools, and says so."""
    return Reply(status=400, error="registry.ollama.ai/library/gym does not support tools")


@misbehaviour(CALLING, harmless=True)
def no_tools_after_all(moment: Moment) -> Reply:
    """Says that its model has tools, and refuses them."""
    return Reply(status=400, error="registry.ollama.ai/library/gym does not support tools")


@misbehaviour(ANY)
def internal_error(moment: Moment) -> Reply:
    """Answers 500 without a reason."""
    return Reply(status=500, error="llama runner process has terminated: exit status 2")


@misbehaviour(ANY)
def overloaded(moment: Moment) -> Reply:
    """Answers 503."""
    return Reply(status=503, error="server busy, please try again. maximum pending requests exceeded")


@misbehaviour(ANY)
def rate_limited(moment: Moment) -> Reply:
    """Answers 429."""
    return Reply(status=429, error="rate limit reached, please slow down")


@misbehaviour(ANY)
def gateway_page(moment: Moment) -> Reply:
    """Answers 502 with a page of HTML."""
    return Reply(status=502, lines=["<html><body><h1>502 Bad Gateway</h1></body></html>"])


@misbehaviour(ANY, fatal=True)
def unauthorised(moment: Moment) -> Reply:
    """Answers 401."""
    return Reply(status=401, error="unauthorized")


@misbehaviour(ANY, fatal=True)
def model_gone(moment: Moment) -> Reply:
    """Has lost the model."""
    return Reply(status=404, error=f"model '{moment.request.model}' not found")


@misbehaviour(ANY, fatal=True)
def out_of_memory(moment: Moment) -> Reply:
    """Cannot hold the model."""
    return Reply(status=500, error="model requires more system memory (9.1 GiB) than is available (3.2 GiB)")


@misbehaviour(ANY)
def error_in_the_stream(moment: Moment) -> Reply:
    """Breaks off in the middle with an error."""
    return Reply("I will write the fi", error="an error was encountered while running the model: CUDA error")


@misbehaviour(ANY)
def dropped_connection(moment: Moment) -> Reply:
    """Drops the connection in the middle."""
    return replace(moment.good, content=moment.good.content or "Now I write it.", cut_connection_after=2)


@misbehaviour(ANY)
def dropped_at_once(moment: Moment) -> Reply:
    """Drops the connection before it says anything."""
    return replace(moment.good, cut_connection_after=0)


@misbehaviour(ANY)
def garbage_lines(moment: Moment) -> Reply:
    """Sends lines that are not JSON."""
    return Reply(lines=['{"model": "gym", "mess', "\x00\x01\x02", "}}}}"])


@misbehaviour(ANY)
def wrong_shapes(moment: Moment) -> Reply:
    """Sends JSON of shapes that the protocol does not know."""
    return Reply(lines=['{"message": [1, 2]}', '{"message": {"content": {"a": 1}, "tool_calls": 7}}'])


@misbehaviour(ANY, fatal=True)
def not_a_model_server(moment: Moment) -> Reply:
    """Answers with a list, as some other service."""
    return Reply(lines=["[1, 2, 3]"])


@misbehaviour(ANY)
def no_body(moment: Moment) -> Reply:
    """Sends an answer without a single line."""
    return Reply(lines=[])


@misbehaviour(ANY, slow=True)
def silence(moment: Moment) -> Reply:
    """Takes the request and never answers."""
    return replace(moment.good, delay=LONG)


@misbehaviour(ANY, slow=True)
def dripping(moment: Moment) -> Reply:
    """Sends one word after the other, too slowly to come to an end."""
    return Reply("one more word " * 300, chunks=1200, pause=0.1)
