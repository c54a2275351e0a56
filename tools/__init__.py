"""HOW: validated effects, plain Python, no model; every folder does one job."""
