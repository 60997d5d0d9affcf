"""Executed notebooks: what differs between two runs is stripped, and what the report shows is kept."""

from __future__ import annotations

import copy
import re
from collections.abc import Sequence

from nbformat import NotebookNode

__all__ = ["keep_shown_cells", "normalise_notebook"]

_HIDDEN_TAGS = {"parameters", "injected-parameters", "hide"}
_VOLATILE = ("papermill", "execution", "ExecuteTime", "widgets", "signature")


def normalise_notebook(nb: NotebookNode) -> NotebookNode:
    """Strip from an executed notebook what differs between two runs on the same input.

    Timings, papermill's paths, progress bars and other text on stderr (which names files of this machine),
    widget states, versions, memory addresses and random cell ids go; numbers, tables, pictures and execution
    counts stay. Text that the kernel sent in pieces is joined.

    Parameters
    ----------
    nb : nbformat.NotebookNode
        An executed notebook; it is not changed.

    Returns
    -------
    nbformat.NotebookNode
        A copy.

    Examples
    --------
    >>> from nbformat.v4 import new_notebook
    >>> dict(normalise_notebook(new_notebook(metadata={"papermill": {"duration": 1.5}})).metadata)
    {}
    """
    nb = copy.deepcopy(nb)
    nb.nbformat_minor = max(nb.nbformat_minor, 5)
    for name in _VOLATILE:
        nb.metadata.pop(name, None)
    if "kernelspec" in nb.metadata:
        nb.metadata.kernelspec = NotebookNode(display_name="Python 3", language="python", name="python3")
    if "language_info" in nb.metadata:
        for name in ("version", "codemirror_mode"):
            nb.metadata.language_info.pop(name, None)
    for place, cell in enumerate(nb.cells, start=1):
        cell.id = f"cell-{place:03d}"
        for name in _VOLATILE:
            cell.metadata.pop(name, None)
        if cell.cell_type == "code":
            cell.outputs = _normalise_outputs(cell.outputs)
    return nb


def _normalise_outputs(outputs: Sequence[NotebookNode]) -> list[NotebookNode]:
    """Join text that came in pieces; leave out stderr, widgets and addresses in memory."""
    kept: list[NotebookNode] = []
    for output in outputs:
        if output.output_type == "stream":
            if output.name == "stderr":
                continue
            if kept and kept[-1].output_type == "stream":
                kept[-1].text += output.text
                continue
        if "data" in output:
            output.data.pop("application/vnd.jupyter.widget-view+json", None)
            if "text/plain" in output.data:
                output.data["text/plain"] = re.sub(r" at 0x[0-9a-fA-F]+", "", output.data["text/plain"])
        kept.append(output)
    return kept


def keep_shown_cells(nb: NotebookNode, *, chapter: str) -> NotebookNode:
    """Leave out the cells that the report does not show, and outputs that only name an object.

    Parameters
    ----------
    nb : nbformat.NotebookNode
        An executed notebook; it is not changed.
    chapter : str
        Its name, for the message.

    Returns
    -------
    nbformat.NotebookNode
        A copy without the cells tagged `parameters`, `injected-parameters` or `hide`, and without the
        sections (from one heading of the second level to the next) whose code had nothing to show.

    Raises
    ------
    ValueError
        Where a cell failed that was not meant to (tag `raises-exception`).

    Examples
    --------
    >>> from nbformat.v4 import new_code_cell, new_notebook
    >>> cell = new_code_cell("period = 2017", metadata={"tags": ["parameters"]})
    >>> len(keep_shown_cells(new_notebook(cells=[cell]), chapter="scores").cells)
    0
    """
    nb = copy.deepcopy(nb)
    nb.cells = [cell for cell in nb.cells if not _HIDDEN_TAGS & set(cell.metadata.get("tags", []))]
    for cell in nb.cells:
        if cell.cell_type == "code":
            _check_cell(cell, chapter=chapter)
            cell.outputs = [output for output in cell.outputs if not _is_bare_object(output)]
    nb.cells = _drop_silent_sections(nb.cells)
    return nb


def _drop_silent_sections(cells: Sequence[NotebookNode]) -> list[NotebookNode]:
    """Leave out headings and prose around code without any output: what they announce is not there."""
    sections: list[list[NotebookNode]] = [[]]
    for cell in cells:
        if cell.cell_type == "markdown" and cell.source.startswith("## "):
            sections.append([])
        sections[-1].append(cell)
    kept = []
    for section in sections:
        code = [cell for cell in section if cell.cell_type == "code"]
        if section is sections[0] or not code or any(cell.outputs for cell in code):
            kept += section
    return kept


def _check_cell(cell: NotebookNode, *, chapter: str) -> None:
    """Refuse a notebook that stopped half-way: it would look finished on the page."""
    for output in cell.outputs:
        if output.output_type == "error" and "raises-exception" not in cell.metadata.get("tags", []):
            raise ValueError(
                f"{chapter}: a cell failed with {output.ename}: {output.evalue}; render only notebooks that "
                "ran to their end."
            )


def _is_bare_object(output: NotebookNode) -> bool:
    """Tell whether an output only names a Python object, such as `<Axes: >`."""
    data = output.get("data", {})
    return (
        set(data) == {"text/plain"} and re.fullmatch(r"<.*>|None", data["text/plain"], re.DOTALL) is not None
    )
