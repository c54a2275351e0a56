"""The page that lists every family with its formula and source: `python -m tools.tasks.page > docs/factory-tasks.md`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from tools.tasks.registry import DOMAINS
from tools.tasks.variants import variants

if TYPE_CHECKING:
    from tools.tasks.family import Family

_HEAD = """# The factory's tasks

The factory draws small coding tasks from these families. A family is a formula with its source. Its variants choose units,
form (ratio or percentage), rounding, and what is asked for: the value, a comparison with a target, a class, or something
over many records (mean, worst, ranking, each shift). Every task has an oracle: our own implementation, which no model is
shown, and at least 30 inputs with edges and refused ones. About one task in six was drawn before, so that reuse has work.

This page is written by `python -m tools.tasks.page`, and a test compares it with the code.
"""


def page() -> str:
    """The whole page in Markdown."""
    parts = [_HEAD]
    for domain, members in DOMAINS.items():
        count = sum(1 for family in members for _ in variants(family))
        parts.append(f"## {domain}: {len(members)} families, {count} distinct tasks\n")
        parts.append("| family | what | formula | source | tasks |\n|---|---|---|---|---|")
        parts.append("\n".join(map(_row, members)) + "\n")
    return "\n".join(parts)


def _row(family: Family) -> str:
    names = {quantity.name: quantity.name for quantity in family.takes}
    formula = " ".join([family.formula, *(option.says for option in family.options if option.says)]).format(**names)
    cells = [f"`{family.name}`", family.title, formula, family.source, str(sum(1 for _ in variants(family)))]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


if __name__ == "__main__":
    sys.stdout.write(page())
