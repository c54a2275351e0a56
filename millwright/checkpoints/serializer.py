"""Checkpoints are read as data: whatever they name, only LangGraph's own harmless types are built from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from tools.sqlite.faults import undecodable

if TYPE_CHECKING:
    from pathlib import Path


class StrictSerializer(JsonPlusSerializer):
    """LangGraph's serializer as `LANGGRAPH_STRICT_MSGPACK=true` makes it; a type that is not allowed stays data."""

    def __init__(self, path: Path) -> None:
        """Name `path` as the database when a row cannot be decoded."""
        super().__init__(allowed_msgpack_modules=None)
        self._path = path

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        """Decode a value. Raises `StorageFailed` if it is not what `dumps_typed` writes."""
        try:
            return super().loads_typed(data)
        except (ValueError, NotImplementedError) as error:
            raise undecodable(self._path, error) from error
