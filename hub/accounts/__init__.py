"""Partnerships, organisations, teams, users, roles and sessions: who is at the door."""
