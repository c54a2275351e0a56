"""Whole files: a path line and a fence, a path in the fence's info string, Aider's whole-file listing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agents.models.salvage.fences import Block, blocks, path_in_info, path_of, plain_path

if TYPE_CHECKING:
    from agents.models.salvage.edits import Draft


def read(text: str, draft: Draft) -> None:
    """Every block that a path belongs to becomes that file; blocks without one are only shown. Raises Cut."""
    named: str | None = None
    for block in blocks(text.split("\n")):
        draft.charge()
        if (alone := _only_a_path(block)) is not None:
            named = alone
            continue
        in_info = path_in_info(block.info)
        path = in_info or path_of(block.above) or (named if not block.above.strip("`") else None)
        named = None
        if path is not None:
            content = "\n".join(block.lines) + "\n" if block.lines else ""
            draft.put(path, content, "fence-info" if in_info else "path-fence")


def _only_a_path(block: Block) -> str | None:
    """Some models put the path line into a block of its own, above the block with the content."""
    if len(block.lines) != 1 or block.info or path_of(block.above):
        return None
    return plain_path(block.lines[0])
