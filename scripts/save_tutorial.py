"""Runs notebooks/tutorial.ipynb as a reader would, and saves it with what he sees: for those who have no kernel.

    python scripts/save_tutorial.py

It answers the question of the notebook itself. What is saved is small and belongs to no machine: no paths, no times of
execution, no state of widgets; and it says from which sources it was made, so that a test finds what is out of date.
"""

from __future__ import annotations

import base64
import hashlib
import io
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
TUTORIAL = ROOT / "notebooks" / "tutorial.ipynb"
#: What a reader does between two cells, by the id of the first: waits until the run rests, and answers.
BETWEEN = {
    "step-3": "run.result()",
    "step-7": "run.result()",
    "step-9": "run.result()",
    "step-11": "try:\n    broken.result()\nexcept Exception:\n    pass",
    "step-12": "broken.result()",
    "step-14": "while run.pause_reason != 'human':\n    time.sleep(0.05)",
    "step-15": "run.decide(run.approvals.pending[0].id, comment='Checked against the bank statement.')\nrun.result()",
}


def digest(notebook: Any) -> str:
    """What the outputs were made from."""
    cells = [[cell.id, cell.cell_type, cell.source] for cell in notebook.cells]
    return hashlib.sha256(repr(cells).encode()).hexdigest()


def executed(notebook: Any, store: str) -> Any:
    """The notebook after its cells have been run one by one, each output as it was when the reader went on."""
    os.environ["FLOWNB_STORE"] = store
    client = NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(TUTORIAL.parent)}})
    cells, seen = list(notebook.cells), {}
    with client.setup_kernel():
        for number, cell in enumerate(cells):
            if cell.cell_type == "code":
                client.execute_cell(cell, number)
            if cell.id in BETWEEN:
                # Its pictures are drawn once more, and then no more.
                code = f"{BETWEEN[cell.id]}\nimport flownb.notebook.display\nflownb.notebook.display.finish()"
                notebook.cells.append(nbformat.v4.new_code_cell(code))
                client.execute_cell(notebook.cells[-1], len(notebook.cells) - 1)
            if cell.cell_type == "code":
                seen[cell.id] = [nbformat.from_dict(dict(each)) for each in cell.outputs]
    notebook.cells = cells
    for cell in cells:
        if cell.cell_type == "code":
            cell.outputs = [smaller(each) for each in seen[cell.id]]
    return notebook


def smaller(output: Any) -> Any:
    """A picture of few colours, as ours are, needs a fraction of the space with a palette."""
    data = output.get("data", {})
    if "image/png" in data:
        picture = Image.open(io.BytesIO(base64.b64decode(data["image/png"]))).convert("RGBA")
        packed = io.BytesIO()
        picture.quantize(200, method=Image.Quantize.FASTOCTREE).save(packed, "PNG", optimize=True)
        data["image/png"] = base64.b64encode(packed.getvalue()).decode()
    return output


def main() -> None:
    """Run and save."""
    notebook = nbformat.read(TUTORIAL, as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        notebook = executed(notebook, f"sqlite:///{folder}/flownb.db")
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
    notebook.metadata = {
        "kernelspec": {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"},
        "language_info": {"name": "python"},
        "saved_from": digest(notebook),
    }
    nbformat.validate(notebook)
    nbformat.write(notebook, TUTORIAL)


if __name__ == "__main__":
    sys.exit(main())
