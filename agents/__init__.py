"""WHO: one module per role: its prompt, its answer type, one function; the model is passed in."""
