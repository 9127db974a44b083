"""What people hold of a run: they read it, send it commands, and see it; wherever it is at work."""
