"""The log of a case or an incident."""
