"""The notebooks: their stored outputs are true, they read as the house style says, papermill runs them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").rglob("*.ipynb"))
REVIEW = sorted((ROOT / "notebooks" / "review").glob("*.ipynb"))


def run_nbval(notebook: Path) -> subprocess.CompletedProcess[str]:
    """Run nbval, strict: every stored output must come out again."""
    options = ["--nbval", "--nbval-sanitize-with", str(ROOT / "tests/notebooks/nbval.cfg"), "-q"]
    options += [
        "-p",
        "no:cacheprovider",
        "-p",
        "no:xdist",
        "-c",
        "/dev/null",
        "--rootdir",
        str(notebook.parent),
    ]
    command = [sys.executable, "-m", "pytest", *options, str(notebook)]
    return subprocess.run(command, capture_output=True, text=True, cwd=notebook.parent, timeout=600)


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_stored_outputs_come_out_again(notebook: Path) -> None:
    done = run_nbval(notebook)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]


def test_nbval_fails_where_a_stored_number_is_changed(tmp_path: Path) -> None:
    """The guard of the guard: without it, a lax or misconfigured nbval would pass anything."""
    notebook = nbformat.read(ROOT / "notebooks/review/how_far_to_trust_this.ipynb", as_version=4)
    changed = 0
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            text = output.get("data", {}).get("text/html")
            if text and not changed:
                output["data"]["text/html"], changed = re.subn(
                    r"\b\d,\d{3}\b", "9,999", "".join(text), count=1
                )
    assert changed == 1
    copy = ROOT / "notebooks" / "review" / "changed_number_for_a_test.ipynb"
    try:
        nbformat.write(notebook, copy)
        done = run_nbval(copy)
    finally:
        copy.unlink(missing_ok=True)
    assert done.returncode == 1
    assert "failed" in done.stdout


def test_plain_papermill_runs_a_chapter(tmp_path: Path) -> None:
    made = tmp_path / "made.ipynb"
    chapter = ROOT / "notebooks/review/how_far_to_trust_this.ipynb"
    command = [
        sys.executable,
        "-m",
        "papermill",
        str(chapter),
        str(made),
        "-p",
        "period",
        "2026Q2",
        "--no-progress-bar",
    ]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    text = made.read_text(encoding="utf-8")
    assert "Reviewed: 2026Q2" in text


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_reads_as_the_house_style_says(notebook: Path) -> None:
    found = nbformat.read(notebook, as_version=4)
    code = [cell for cell in found.cells if cell.cell_type == "code"]
    prose = [cell for cell in found.cells if cell.cell_type == "markdown"]
    assert found.cells[0].cell_type == "markdown" and found.cells[0].source.startswith("# ")
    assert [
        cell.metadata.get("tags", []) for cell in code if "parameters" in cell.metadata.get("tags", [])
    ] == [["parameters"]]
    assert "parameters" in code[0].metadata.get("tags", [])
    assert len(prose) >= 0.3 * len(found.cells)
    for cell in code:
        assert len(cell.source.splitlines()) <= 8, cell.source
        assert not re.search(r"^\s*(def|class) ", cell.source, re.M), cell.source
    for line in code[0].source.splitlines():
        assert re.fullmatch(r'[a-z_]+ = ("[^"#=]*"|-?\d+(\.\d+)?|True|False)  # .+', line), line


@pytest.mark.parametrize("notebook", REVIEW, ids=lambda path: path.stem)
def test_every_picture_of_a_chapter_says_what_it_shows(notebook: Path) -> None:
    found = nbformat.read(notebook, as_version=4)
    pictures = [
        output
        for cell in found.cells
        for output in cell.get("outputs", [])
        if "image/png" in output.get("data", {})
    ]
    for output in pictures:
        assert len(output["metadata"]["image/png"]["alt"]) > 30
