"""Consent per purpose and recipient: recorded, withdrawn; what stood on it stops the same minute."""
