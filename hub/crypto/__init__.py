"""Sealing, keys, passwords and randomness: the one door to `cryptography` and `argon2`."""
