"""Texts as vectors, by the best means that this machine already has: one file per rung of the ladder."""
