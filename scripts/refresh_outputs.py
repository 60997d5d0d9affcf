"""Make the example report and the notebooks' stored outputs anew from the sample.

usage: python scripts/refresh_outputs.py      (make outputs)
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from journeylib.review.page import normalise_notebook

ROOT = Path(__file__).resolve().parents[1]
NORMALISED = ["--keep-output", "--keep-count", "--extra-keys"]
NORMALISED += ["metadata.papermill cell.metadata.papermill cell.metadata.execution"]
EXAMPLE = ROOT / "reports" / "example"


def refresh_example() -> None:
    """Review the sample and put the report into reports/example."""
    with tempfile.TemporaryDirectory() as out:
        command = [sys.executable, "-m", "journeylib", "review", "data/sample", "--out", out]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        shutil.rmtree(EXAMPLE, ignore_errors=True)
        report = Path(done.stdout.splitlines()[-1]).parent.resolve()
        # The executed notebooks and the pages of single chapters hold the same pictures again.
        shutil.copytree(report, EXAMPLE, ignore=shutil.ignore_patterns("chapters", "notebooks"))


def refresh_notebook(path: Path) -> None:
    """Execute a notebook in place, as a person in JupyterLab would."""
    notebook = nbformat.read(path, as_version=4)
    names = [cell["id"] for cell in notebook.cells]
    made = NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(path.parent)}}).execute()
    made = normalise_notebook(made)
    for cell, name in zip(made.cells, names, strict=True):
        cell["id"] = name
    nbformat.write(made, path)
    subprocess.run([sys.executable, "-m", "nbstripout", *NORMALISED, str(path)], check=True)


if __name__ == "__main__":
    refresh_example()
    for found in sorted((ROOT / "notebooks").rglob("*.ipynb")):
        print(found.relative_to(ROOT))
        refresh_notebook(found)
