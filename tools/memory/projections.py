"""What is derived from the database as files: the skills one by one, and their index."""

from __future__ import annotations

from tools.memory.index_file import IndexFile, tools_index
from tools.memory.nodes import Nodes

__all__ = ["IndexFile", "Nodes", "tools_index"]
