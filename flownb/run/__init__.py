"""The engine: plan purely, act in one place, journal before acting, recover.

A run goes through `start → engine → plan → executor → attempt`, and back as events: `commits → bus`. Around that path:

where/     where bodies run: the loop, threads, the main thread, processes of their own (whose inside is `child/`)
output/    what nodes write and say, caught for each of them
waiting/   what a run waits for besides its nodes: time, signals, people, somebody who steps through it
watch/     who blocks, who computes, who goes on though asked to stop
recovery/  runs that are not at work here: read back, claimed, migrated, let go
handles/   what people hold of a run: they read it, send it commands, and see it
"""
