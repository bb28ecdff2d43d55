"""The invented partnership, built through the real actions."""
