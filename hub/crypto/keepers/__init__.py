"""The bodies of the root key: where it lies, and what opens with it."""
