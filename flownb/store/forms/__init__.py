"""The forms in which values are stored: each turns one kind of value into plain data or an artifact, and back."""
