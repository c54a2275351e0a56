"""Confined files, ownership, ledger, snapshots, archive."""
