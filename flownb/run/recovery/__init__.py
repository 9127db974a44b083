"""Runs that are not at work here: read back from their journals, claimed, migrated, let go."""
