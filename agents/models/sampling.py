"""Sampling that fits a family of models; what the caller or the model itself sets comes before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

# What the makers' model cards recommend; the longest matching name counts, the empty one is for all others.
_FAMILIES: Mapping[str, Mapping[str, float]] = {
    "": {"temperature": 0.2},
    "deepseek-r1": {"temperature": 0.6, "top_p": 0.95},
    "devstral": {"temperature": 0.15},
    "gemma3": {"temperature": 1.0, "top_k": 64, "top_p": 0.95},
    "gpt-oss": {"temperature": 1.0, "top_p": 1.0},
    "granite": {"temperature": 0.0},
    "llama3": {"temperature": 0.6, "top_p": 0.9},
    "ministral": {"temperature": 0.05},
    "mistral-small": {"temperature": 0.15},
    "qwen2.5": {"temperature": 0.7, "top_k": 20, "top_p": 0.8, "repeat_penalty": 1.05},
    "qwen3": {"temperature": 0.7, "top_k": 20, "top_p": 0.8},
    "qwen3-coder": {"temperature": 0.7, "top_k": 20, "top_p": 0.8, "repeat_penalty": 1.05},
    "qwq": {"temperature": 0.6, "top_k": 20, "top_p": 0.95},
}


def sampling_for(model: str) -> Mapping[str, float]:
    """The sampling options for a model's name, with or without registry, owner and tag."""
    name = model.rpartition("/")[2].lower()
    family = max((f for f in _FAMILIES if name.startswith(f)), key=len)
    return _FAMILIES[family]
