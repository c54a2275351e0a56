"""The gym: a model server that misbehaves in every known way, and what a build makes of it."""
