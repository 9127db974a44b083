"""The Python half of the widgets; the browser half is in `widgets/` and is built into `static/`.

```
bundle.py     where the built files are, and the sentence where they are missing
scene.py      what never changes while a run works: cards, boxes and ways of edges where the layout put them
past.py       what a page is shown that looks back: a moment of the journal
commands.py   what a page can ask of a run
moment.py     what changes: a record a node, a word an edge, the figures of the bar; whole, or what is new
brief.py      a stored value in a few words
detail.py     what the panel shows of one node
edge.py       what it shows of one edge
variables.py  the run's variables as a list, and what somebody types into it
expected.py   how long earlier runs took
taking.py     an output into the notebook's namespace
answers.py    what a resting run was answered, before anybody wrote it down
editing.py    the data that a reviewer may change
questions.py  what a run asks people, and the fields of the form
shown.py      a stored value as a page shows it
pulse.py      the one thread that tells views what is new, ten times a second at most
run_view.py   the widget: events in, commands out
views.py      which canvas shows a run: `run.view(renderer=…)`
cytoscape.py  the same run on ipycytoscape
lists/        requests and runs of a store, live
display.py    a run under its cell: the widget where there is a front end for it, else the picture
```

Nothing here holds a truth of its own: a widget that is thrown away and made anew shows the same.
"""
