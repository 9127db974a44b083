"""What leads the output of nodes into their buffers while runs are at work, one file a source.

It is put in place with the first run of a process and taken away after the last; code outside of nodes notices nothing.
Not caught: what a child process writes to the file descriptors that it inherits, forked ones included; what is written
to them directly; and what goes to a stream object that somebody kept from before.
"""
