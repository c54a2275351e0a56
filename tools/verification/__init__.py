"""Measuring what was delivered: files, definitions, tests, commands."""
