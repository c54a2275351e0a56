"""FROM OUTSIDE: public names, command line, settings, checkpoints."""
