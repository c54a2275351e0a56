"""The model layer: providers, the journal, and what survives a weak model."""
