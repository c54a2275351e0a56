"""WHEN: one module per state graph."""

from __future__ import annotations

import importlib.util
from pathlib import Path


def _refuse_intruders() -> None:
    """Name another distribution that installed a top-level package of the same name as one of ours."""
    home = Path(__file__).resolve().parent.parent
    for name in ("agents", "tools"):
        found = importlib.util.find_spec(name)
        places = [Path(place).resolve() for place in (found.submodule_search_locations or [])] if found else []
        if home / name not in places:
            where = places[0] if places else "nowhere"
            raise ImportError(
                f"the package {name!r} is imported from {where}, not from {home}: another distribution "
                f"(openai-agents, for one) installs it too; give Millwright a virtual environment of its own"
            )


_refuse_intruders()
