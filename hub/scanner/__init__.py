"""The malware scanner: the only door to clamd."""
