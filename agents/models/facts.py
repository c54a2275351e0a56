"""What a server says about a model: its context length, its capabilities, its own parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class ModelFacts:
    """None means that the server does not say."""

    context_length: int | None = None
    capabilities: frozenset[str] | None = None
    parameters: frozenset[str] = frozenset()
    """The names of the options that the model brings values for."""

    def can(self, capability: str) -> bool | None:
        """Whether the model has a capability of Ollama's list: completion, tools, thinking, vision, embedding …"""
        return None if self.capabilities is None else capability in self.capabilities


def facts_from_show(shown: Mapping[str, Any]) -> ModelFacts:
    """Read the answer of Ollama's `/api/show`."""
    info = shown.get("model_info") or {}
    length = info.get(f"{info.get('general.architecture')}.context_length")
    capabilities = shown.get("capabilities")
    lines = (line.split() for line in (shown.get("parameters") or "").splitlines())
    return ModelFacts(
        context_length=length if isinstance(length, int) and length > 0 else None,
        capabilities=None if capabilities is None else frozenset(capabilities),
        parameters=frozenset(words[0] for words in lines if words),
    )
