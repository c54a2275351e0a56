"""One run's directory: where it is in its history, what it knows, and its files."""
