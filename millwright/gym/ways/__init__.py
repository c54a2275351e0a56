"""Every named misbehaviour, by where it shows."""

from __future__ import annotations

from millwright.gym.misbehaviour import REGISTRY, Misbehaviour
from millwright.gym.ways import arguments, contents, endings, forms, paths, roles, talk, wire

__all__ = [
    "REGISTRY",
    "Misbehaviour",
    "arguments",
    "contents",
    "endings",
    "forms",
    "paths",
    "roles",
    "talk",
    "wire",
]
