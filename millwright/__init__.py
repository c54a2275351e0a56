"""FROM OUTSIDE: public names, command line, settings, checkpoints.

`build` starts a build, `make_tool` a task of the factory, and `resume` goes on with either, all with checkpoints, as the
`millwright` command does. `Trainer` carries out an `Order`: a session of the factory, task after task.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from millwright.driving import Result, build, fork, history, make_tool, resume
    from millwright.factory import Order, Trainer
    from millwright.replaying import replay

__all__ = ["Order", "Result", "Trainer", "build", "fork", "history", "make_tool", "replay", "resume"]

_ELSEWHERE = {"Order": "factory", "Trainer": "factory", "replay": "replaying"}


def __getattr__(name: str) -> object:
    """Import a public name on first use, so that `millwright --help` imports no LangGraph."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"millwright.{_ELSEWHERE.get(name, 'driving')}"), name)
