"""Giving a role takes two: one administrator asks, another of the same organisation and partnership decides."""
