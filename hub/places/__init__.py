"""Addresses and locations."""
