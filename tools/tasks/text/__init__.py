"""Small tools for text. All text is ASCII."""

from __future__ import annotations

from tools.tasks.text import codes, digits, distances, words

FAMILIES = (*words.FAMILIES, *codes.FAMILIES, *digits.FAMILIES, *distances.FAMILIES)
