"""What data must look like where it crosses a port.

`schema.py` holds the form itself and checks values against it; `words.py` reads JSON Schema; `annotations.py` reads
what functions say of their parameters; `crossing.py` is what a port does with a value.
"""
