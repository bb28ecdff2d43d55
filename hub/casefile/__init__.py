"""The pages of one case and one incident, and My work, composed from what hangs on them."""
