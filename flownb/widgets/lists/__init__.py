"""Lists in a notebook: what runs ask people, the runs of a store, and the two together.

```
runs.py       the part that lists runs: a page, counts, a search
requests.py   the part that lists requests, with the whole of those that somebody has unfolded
widget.py     one widget a list: it reads the store when that has changed, and answers
picture.py    a list as a PNG, for where there is no kernel
display.py    the mimebundles
```

A page of the store is read, never the whole of it; filter and search lie in the kernel, so that they are there again
when the page is loaded anew, and are the same in every view of the list.
"""
