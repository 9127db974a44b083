"""What a run at work waits for besides its nodes: time, signals, people, somebody who steps through it."""
