"""Large values by the digest of their content: written once, never changed, found by name alone.

The digest is the SHA-256 of what was given, in hex. A file appears under its name only when it is complete, so a
reader sees all of it or nothing, and a process that dies leaves at most a temporary file that `sweep` removes.
"""
