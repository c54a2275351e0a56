"""What a search of the memory found, for a person and for a program."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Collection

    from tools.memory.ranking import Hit
    from tools.memory.workflows import WorkflowHit


def skill_rows(hits: Collection[Hit]) -> list[dict[str, Any]]:
    """Skills that were found, as JSON holds them."""
    told = ("id", "name", "state", "description", "tags", "uses", "successes")
    return [
        {
            **{name: getattr(hit.skill, name) for name in told},
            "score": hit.score,
            "cosine": hit.cosine,
            "words": hit.words,
            "identifier": hit.identifier,
        }
        for hit in hits
    ]


def workflow_rows(hits: Collection[WorkflowHit]) -> list[dict[str, Any]]:
    """Workflows that were found, as JSON holds them."""
    return [
        {**hit.workflow.model_dump(mode="json"), "score": hit.score, "cosine": hit.cosine, "words": hit.words}
        for hit in hits
    ]


def skill_table(hits: Collection[Hit]) -> Table:
    """Skills that were found, a line each."""
    table = _table("skill", "state", "score", "uses", "what it does")
    for hit in hits:
        skill, used = hit.skill, f"{hit.skill.successes} of {hit.skill.uses}"
        table.add_row(skill.id, skill.state, f"{hit.score:.2f}", used, escape(skill.description.strip()))
    return table


def workflow_table(hits: Collection[WorkflowHit]) -> Table:
    """Workflows that were found, a line each; of what was wanted the first line."""
    table = _table("workflow", "outcome", "score", "steps", "what was wanted")
    for hit in hits:
        done = hit.workflow
        wanted = next(iter(done.intent.strip().splitlines()), "")
        table.add_row(escape(done.id), done.outcome, f"{hit.score:.2f}", str(len(done.steps)), escape(wanted))
    return table


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold", no_wrap=column in ("state", "outcome", "score", "uses", "steps"))
    return table
