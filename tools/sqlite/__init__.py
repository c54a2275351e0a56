"""What every SQLite file of ours has in common: how it is born, and how its faults are told."""
