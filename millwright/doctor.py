"""What this machine and a model can do: an author of tests, and the model's probes, which are remembered."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from agents.models.probing import Found, examine_model, profile_of
from agents.models.profiles import profiles
from agents.models.providers import open_model
from tools.errors import UsageError
from tools.events import now
from tools.skills.pynguin.interpreter import find_pynguin

if TYPE_CHECKING:
    from collections.abc import Callable

CALL_SECONDS = 180.0


def pynguin() -> dict[str, str]:
    """Whether pynguin can write the factory's tests here, and how to come by it. Blocks."""
    try:
        found = find_pynguin()
    except UsageError as error:
        return {"state": "none", "what": str(error)}
    return {"state": "good", "what": f"{found.name} in {str(found.python)!r}, for `factory run --tests pynguin`"}


async def examine(
    name: str,
    *,
    base_url: str | None = None,
    seconds: float = CALL_SECONDS,
    told: Callable[[Found], None] = lambda _: None,
) -> dict[str, Any]:
    """Probe a model and keep its profile; return the profile with every probe's result.

    Raises:
        ModelUnknown, ModelUnavailable: there is no such model to ask.
    """
    model = await open_model(name, base_url=base_url)
    found = await examine_model(model, seconds=seconds, told=told)
    profile = profile_of(found)
    await asyncio.to_thread(lambda: profiles().keep_probes(name, profile, now()))
    return {"model": name, "profile": profile, "probes": [result.record() for result in found]}


def advice(profile: dict[str, Any]) -> list[str]:
    """What the profile means for work with the model, in sentences."""
    native = profile.get("native_call") and profile.get("native_code")
    lines = ["It calls tools itself." if native else "It is asked for files as text, not for tool calls."]
    if native and not profile.get("native_json"):
        lines.append("JSON files inside calls are not safe with it.")
    if profile.get("search_replace"):
        lines.append("It may replace pieces of files.")
    largest = profile.get("largest_file")
    lines.append(f"Files up to {largest} lines are safe." if largest else "Only short files are safe.")
    if profile.get("window"):
        lines.append(
            f"It really reads about {profile['window']} tokens; longer conversations are shortened to that."
        )
    return lines
