"""What a drawn task is: everything an author needs, and an oracle that no author sees."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from tools.memory.records import Example  # noqa: TC001 - pydantic reads the hints


class Task(BaseModel):
    """One small coding task.

    `statement` says everything that a careful programmer needs. `reference` (the source of our own implementation) and
    `inputs` (the arguments on which a tool is compared with it) are the oracle: no model is ever shown them.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    domain: str
    family: str
    title: str
    entry: str
    signature: str
    statement: str
    tags: tuple[str, ...] = ()
    source: str = ""
    examples: tuple[Example, ...] = ()
    reference: str = ""
    inputs: tuple[dict[str, Any], ...] = ()
