"""Small tools for numbers, series, lists and tables."""

from __future__ import annotations

from tools.tasks.data import collections, curves, integers, intervals, statistics

FAMILIES = (
    *statistics.FAMILIES,
    *curves.FAMILIES,
    *integers.FAMILIES,
    *collections.FAMILIES,
    *intervals.FAMILIES,
)
