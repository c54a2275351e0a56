"""Where Millwright keeps what it must remember."""

from __future__ import annotations

from tools.runs.home import data_dir

__all__ = ["data_dir"]
