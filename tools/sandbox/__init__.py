"""Running code that a model wrote: in a throwaway copy, confined, and with every limit said in the result."""

from __future__ import annotations

TYPE_CHECKING = False  # `typing` and `importlib` take longer to import than a program to start
if TYPE_CHECKING:
    from tools.sandbox.execution import Execution, Level, Limits
    from tools.sandbox.interpreter import python_argv
    from tools.sandbox.sandbox import Sandbox

__all__ = ["Execution", "Level", "Limits", "Sandbox", "python_argv"]

_HOMES = {"Sandbox": "sandbox", "python_argv": "interpreter"}


def __getattr__(name: str) -> object:
    """Import a public name on first use: the launcher of every run imports this package, and nothing heavier."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(f"{__name__}.{_HOMES.get(name, 'execution')}"), name)
