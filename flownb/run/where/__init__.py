"""Where the body of a node runs, one file a place: on the engine's loop, on a thread, in a process, on the main thread.

Each has `start(attempt)`: it calls the body and sees to it that `attempt.end` is called, on the loop.
"""
