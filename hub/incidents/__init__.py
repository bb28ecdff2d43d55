"""Incidents: logged, listed, imported."""
