"""Getting a validated answer out of a model: the exact errors go back until it is right, or the tries are used up."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, TypeVar

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from pydantic import BaseModel, ValidationError

from agents.models.honesty import context_lost
from tools.errors import ModelFault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from agents.models.caller import Ask

TRIES = 5
SOBER_FROM = 2
"""From this try on, counted from 0, the model is asked without randomness."""

LOST = 3
"""So often a model may be asked without reading the whole prompt."""

LONGEST_ECHO = 6000
"""An answer that was of no use is shown to the model again, but not more of it than this, in characters."""

_FENCE = re.compile(r"```[a-zA-Z]*\s*\n(.*?)```", re.DOTALL)
Answer = TypeVar("Answer", bound=BaseModel)


async def answer(
    ask: Ask,
    scope: str,
    messages: Sequence[BaseMessage],
    form: type[Answer],
    problems: Callable[[Answer], list[str]] = lambda _: [],
    *,
    tries: int = TRIES,
    seconds: float | None = None,
) -> Answer:
    """Ask for JSON of the given form; `problems` says what is wrong with an answer that has the form.

    Raises:
        ModelFault: of kind `invalid_answer`, with the last answer's problems, when every try was used; of kind
            `context_lost` when the model never read the whole prompt.
    """
    history = list(messages)
    wrong: list[str] = []
    faulty = longer = False
    lost = 0
    for turn in range(tries):
        try:
            # A form that the server enforces may be what fails, so the last try goes without it.
            schema = form.model_json_schema() if turn < tries - 1 or not faulty else None
            cold = 0.0 if SOBER_FROM <= turn < tries - 1 else None
            reply = await ask(scope, turn, history, schema=schema, seconds=seconds, temperature=cold, longer=longer)
        except ModelFault as fault:
            faulty, wrong = True, [str(fault)]
            longer = longer or fault.kind == "cut"
            history = [*history, HumanMessage(_again(wrong))]
            continue
        if why := context_lost(reply.response_metadata.get("prompt", {})):
            # Without what was said since, the prompt is as short as it can be.
            history, wrong, lost = list(messages), [why], lost + 1
            if lost == LOST:
                raise ModelFault(why, kind="context_lost")
            continue
        parsed, wrong = read(reply.text, form)
        wrong = wrong if parsed is None else problems(parsed)
        if parsed is not None and not wrong:
            return parsed
        history = [*history, AIMessage(shortened(reply.text)), HumanMessage(_again(wrong))]
    raise ModelFault(
        f"the model gave no valid {form.__name__.lower()} in {tries} tries: " + "; ".join(wrong),
        kind="invalid_answer",
    )


def read(text: str, form: type[Answer]) -> tuple[Answer | None, list[str]]:
    """The first JSON object in a text that has the form, or what is wrong with the nearest one."""
    wrong = ["the answer holds no JSON object"]
    for candidate in json_objects(text):
        try:
            return form.model_validate(candidate), []
        except ValidationError as error:
            wrong = [f"{'.'.join(map(str, e['loc'])) or 'answer'}: {e['msg']}" for e in error.errors()]
    return None, wrong


def json_objects(text: str) -> Iterator[object]:
    """Complete JSON objects in a text: the whole of it, fenced ones, then bare ones; never a cut one."""
    decoder = json.JSONDecoder(strict=False)
    for part in [text, *_FENCE.findall(text)]:
        try:
            yield json.loads(part, strict=False)
        except (ValueError, RecursionError):
            continue
    start = text.find("{")
    while start >= 0:
        try:
            found, end = decoder.raw_decode(text, start)
        except RecursionError:
            return
        except json.JSONDecodeError as error:
            # What stands inside a broken or cut object is part of it, never an answer of its own.
            start = text.find("{", max(error.pos, start + 1))
            continue
        yield found
        start = text.find("{", end)


def shortened(text: str, limit: int = LONGEST_ECHO) -> str:
    """The text, or its head and its tail when it is longer than `limit` characters."""
    if len(text) <= limit:
        return text
    half = limit // 2
    return f"{text[:half]}\n[{len(text) - 2 * half} characters left out]\n{text[-half:]}"


def _again(wrong: list[str]) -> str:
    return (
        "That answer cannot be used:\n"
        + "\n".join(f"- {line}" for line in wrong)
        + "\nAnswer again with the whole corrected JSON object and nothing else."
    )
