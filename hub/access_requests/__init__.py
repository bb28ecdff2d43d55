"""Blind hits and requests for what a partner holds, answered against a clock."""
