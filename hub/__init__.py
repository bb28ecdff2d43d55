"""The hub: partners log incidents and cases, share what law and agreements allow, and can prove who saw what."""

__version__ = "0.1.0"
