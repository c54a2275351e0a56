"""The domains and their families."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tools.tasks import data, manufacturing, text

if TYPE_CHECKING:
    from tools.tasks.family import Family

DOMAINS: dict[str, tuple[Family, ...]] = {
    "manufacturing": manufacturing.FAMILIES,
    "text": text.FAMILIES,
    "data": data.FAMILIES,
}
