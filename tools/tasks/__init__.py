"""An endless stream of small coding tasks, each with an oracle that no author sees."""

from __future__ import annotations

from tools.tasks.drawing import ANY, domains, draw, families, stream
from tools.tasks.task import Task

__all__ = ["ANY", "Task", "domains", "draw", "families", "stream"]
