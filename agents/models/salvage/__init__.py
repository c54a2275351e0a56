"""Text that holds a tool call or a file becomes the same validated call or edit; anything doubtful becomes nothing."""

from __future__ import annotations

from agents.models.salvage.calls import Call, Salvaged, examine, salvage
from agents.models.salvage.edits import Edit, SalvagedEdits, examine_edits, salvage_edits

__all__ = ["Call", "Edit", "Salvaged", "SalvagedEdits", "examine", "examine_edits", "salvage", "salvage_edits"]
