"""What a partnership may set for itself, each from a day on: numbers of policy, never what keeps the hub safe."""
