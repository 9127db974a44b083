"""The doors that people and machines come in by over HTTP: they read events and send commands.

The public listener, which `flownb serve --public` runs, on a port of its own and without cookies:

```
public.py     the listener: limits, headers, errors; and what looks after the store meanwhile
doors.py      what a signed link opens, to whom, and for how long
routes.py     which address shows or does what
answering.py  from what was posted to an answer that counts, or to the page that says why not
asking.py     a question as a page: what is shown, the form, the answers
settled.py    a question that has its answer, or none any more
lists.py      what waits for a person; what a run has done
shown.py      tables, pictures, texts and differences beside a question
fields.py     a form as fields, and back to data
edits.py      data that may be changed, as fields, and back
frame.py      the document around all of it, and the pages of one sentence
markup.py     HTML that can't be broken out of
style.py      the one style sheet, from the look of the views
moments.py    times for a page without a clock
```

In a Jupyter server, for whoever is signed in there:

```
extension.py  the routes beneath `flownb/api/`
handlers.py   their handlers, each authenticated and authorized
commands.py   what is asked of runs, carried out in their store
known.py      the stores that such a server answers for
```
"""
