"""FROM OUTSIDE: public names, command line, settings, checkpoints.

`build` starts a build and `resume` goes on with one, both with checkpoints, as the `millwright` command does.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from millwright.driving import Result, build, fork, history, resume
    from millwright.replaying import replay

__all__ = ["Result", "build", "fork", "history", "replay", "resume"]


def __getattr__(name: str) -> object:
    """Import a public name on first use, so that `millwright --help` imports no LangGraph."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(
        importlib.import_module("millwright.replaying" if name == "replay" else "millwright.driving"), name
    )
