"""Declared interests: whom and what a user must not look up, and who is told of a try."""
