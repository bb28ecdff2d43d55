"""Keys as people look after them: how they stand, turning them, and destroying an epoch."""
