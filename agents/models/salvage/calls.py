"""From a reply's text to validated tool calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from agents.models.salvage.reader import Reader, Tangled
from agents.models.salvage.scan import Scanner
from agents.models.salvage.schema import Misfit, fit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agents.models.salvage.reader import Found

MAX_CALLS = 32
"""A reply with more calls than this is a loop, not a plan; the first so many are taken."""

CUT_REASONS = frozenset(
    {"length", "max_tokens", "max_output_tokens", "model_length", "content_filter", "incomplete", "error"}
)
"""Finish reasons after which nothing in the text can be trusted to be whole."""


@dataclass(frozen=True)
class Call:
    """A tool call found in text: an offered tool, arguments that fit its schema, and the format it was written in."""

    name: str
    arguments: dict[str, Any]
    format: str


@dataclass(frozen=True)
class Salvaged:
    """The calls of a reply, and for each thing that looked like a call but is none, a sentence for the model."""

    calls: tuple[Call, ...] = ()
    refusals: tuple[str, ...] = ()


def salvage(text: str, tools: Mapping[str, dict[str, Any]], finish_reason: str = "stop") -> list[Call]:
    """The tool calls that the text of a reply holds; `tools` maps each offered name to its JSON Schema.

    Never raises on any text, and returns nothing rather than a guess: see `examine` for the reasons.
    """
    return list(examine(text, tools, finish_reason).calls)


def examine(text: str, tools: Mapping[str, dict[str, Any]], finish_reason: str = "stop") -> Salvaged:
    """The calls of a reply together with what was refused and why."""
    if finish_reason.lower() in CUT_REASONS:
        return Salvaged(refusals=(f"The reply ended with {finish_reason!r}: no call is taken from a cut reply.",))
    if not tools or not text:
        return Salvaged()
    scanner = Scanner(Reader("\n" + text), tools)
    try:
        spans = scanner.run()
    except Tangled:
        return Salvaged(refusals=("The reply holds too many beginnings of calls; write one call at a time.",))
    calls: list[Call] = []
    refusals: list[str] = []
    for found in (found for span in spans for found in span.found):
        try:
            calls.append(_checked(found, tools))
        except Misfit as misfit:
            refusals.append(str(misfit))
    if scanner.was_cut:
        refusals.append(
            "Something in the reply begins and is broken or has no end; nothing from there on was taken."
        )
    if len(calls) > MAX_CALLS:
        refusals.append(f"{len(calls)} calls in one reply; only the first {MAX_CALLS} are taken.")
    return Salvaged(tuple(calls[:MAX_CALLS]), tuple(refusals))


def _checked(found: Found, tools: Mapping[str, dict[str, Any]]) -> Call:
    name = found.name if found.name in tools else found.name.removeprefix("functions.")
    if name not in tools:
        raise Misfit(f"There is no tool {found.name!r}; the tools are {', '.join(sorted(tools))}.")
    schema = tools[name] if isinstance(tools[name], dict) else {}
    try:
        arguments = fit(found.arguments, schema, textual=found.textual, sources=found.sources)
    except Misfit as misfit:
        raise Misfit(f"{name}: {misfit}.") from misfit
    return Call(name, arguments, found.format)
