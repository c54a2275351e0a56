"""What is remembered: skills that proved themselves, the tasks behind them, and workflows; one database is the truth."""
