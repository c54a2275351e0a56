"""Tables on the terminal: folded to its width, but no word is cut; in a pipe as wide as they are."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Collection

_WIDEST = 10_000


def table(*columns: str, folded: Collection[str]) -> Table:
    """An empty table; the `folded` columns go on in further lines where the terminal is narrow."""
    made = Table(box=None, pad_edge=False)
    for column in columns:
        made.add_column(column, overflow="fold", no_wrap=column not in folded)
    return made


def show(rows: Table) -> None:
    """Print a table; a terminal that is narrower than its longest words breaks the lines itself."""
    console = Console(highlight=False)
    piped = not console.is_terminal and "COLUMNS" not in os.environ
    least = Measurement.get(console, console.options.update(width=_WIDEST), rows).minimum
    Console(highlight=False, width=_WIDEST if piped else max(console.width, least)).print(rows)
