"""Directories of organisations, which make, change and close accounts by themselves (SCIM 2.0)."""
