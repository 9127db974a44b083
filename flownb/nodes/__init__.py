"""The node types that ship, one file a family; the registry finds them by name."""
