"""People, and what organisations have contributed about them."""
