"""What a workflow is, what can be asked, what happened: frozen values, no I/O, no asyncio."""
