"""Notebooks as programs: papermill engine, parameters and results, the notebook node, the report."""
