"""Passkeys: added, used to sign in and to confirm, taken away."""
