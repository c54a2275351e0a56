"""Figures of manufacturing: effectiveness and flow."""

from __future__ import annotations

from tools.tasks.manufacturing import effectiveness, flow

FAMILIES = (*effectiveness.FAMILIES, *flow.FAMILIES)
