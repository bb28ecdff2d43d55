"""Erasing a record: decided by two people, final even in backups."""
