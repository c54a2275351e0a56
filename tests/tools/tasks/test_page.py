"""The page of families says what the code does."""

from __future__ import annotations

from pathlib import Path

from tools.tasks.page import page
from tools.tasks.registry import DOMAINS

PAGE = Path(__file__).parents[3] / "docs" / "factory-tasks.md"


def test_the_page_of_families_is_what_the_code_says() -> None:
    assert PAGE.read_text() == page(), "write it anew: python -m tools.tasks.page > docs/factory-tasks.md"


def test_every_family_names_a_source_and_every_domain_has_enough_families() -> None:
    assert all(len(family.source) > 15 for members in DOMAINS.values() for family in members)
    assert len(DOMAINS["manufacturing"]) >= 40
    assert all(len(members) >= 15 for members in DOMAINS.values())
