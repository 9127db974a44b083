"""flownb over HTTP.

```
extension.py  in a Jupyter server: the routes beneath `flownb/api/`
handlers.py   their handlers, each signed in and authorized
asked.py      what is asked of runs, carried out in their store
known.py      the stores that a server answers for
```
"""
