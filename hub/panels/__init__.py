"""Panels: sets of partners agreed beforehand, to whom a case is shared in two clicks."""
