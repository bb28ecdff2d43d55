"""Cases: opened, worked along the state table, closed."""
