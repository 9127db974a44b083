"""What runs in other processes for nodes that have one of their own.

```
engine ── spawner            one a process: a bare interpreter that forks, so that no node waits for imports
            └─ keeper        one a node: outlives nothing, ends the whole tree, says how it ended
                 └─ body     the node's function, in a session of its own
```

The engine talks with the body over a socket (`wire.py`), and with the keeper over another. Nothing here imports the
engine; where the engine's process dies, both sockets close and the keeper ends the tree.
"""
