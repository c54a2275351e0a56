"""Figures of manufacturing: effectiveness, flow, quality, capability, reliability, stock, energy, people, delivery."""

from __future__ import annotations

from tools.tasks.manufacturing import (
    capability,
    delivery,
    effectiveness,
    energy,
    flow,
    lines,
    ordering,
    people,
    quality,
    reliability,
    setups,
    stock,
    yields,
)

FAMILIES = (
    *effectiveness.FAMILIES,
    *flow.FAMILIES,
    *lines.FAMILIES,
    *setups.FAMILIES,
    *quality.FAMILIES,
    *yields.FAMILIES,
    *capability.FAMILIES,
    *reliability.FAMILIES,
    *stock.FAMILIES,
    *ordering.FAMILIES,
    *energy.FAMILIES,
    *people.FAMILIES,
    *delivery.FAMILIES,
)
