"""What a search of the memory found, for a person and for a program."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.markup import escape

from millwright.cli.tables import table

if TYPE_CHECKING:
    from collections.abc import Collection

    from rich.table import Table

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
    found = table("skill", "state", "score", "verified", "what it does", folded=("what it does",))
    for hit in hits:
        skill, verified = hit.skill, f"{hit.skill.won}/{hit.skill.trials}"
        found.add_row(skill.id, skill.state, f"{hit.score:.2f}", verified, escape(skill.description.strip()))
    return found


def workflow_table(hits: Collection[WorkflowHit]) -> Table:
    """Workflows that were found, a line each; of what was wanted the first line."""
    found = table("workflow", "outcome", "score", "steps", "what was wanted", folded=("what was wanted",))
    for hit in hits:
        done = hit.workflow
        wanted = next(iter(done.intent.strip().splitlines()), "")
        found.add_row(escape(done.id), done.outcome, f"{hit.score:.2f}", str(len(done.steps)), escape(wanted))
    return found
