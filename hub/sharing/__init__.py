"""Shares of records: made, answered, ended, and what is shared with us."""
