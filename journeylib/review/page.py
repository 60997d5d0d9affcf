"""The review as one page: executed notebooks in, one accessible HTML file out, nothing fetched."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd
from bs4 import BeautifulSoup
from markupsafe import Markup
from nbconvert.exporters import HTMLExporter
from nbformat import NotebookNode
from traitlets.config import Config

from journeylib.review.executed import keep_shown_cells, normalise_notebook
from journeylib.review.markup import check_images, keep_units, mend_tables, order_headings, strip_active

__all__ = ["normalise_notebook", "render_chapter", "render_page"]

_TEMPLATE = Path(__file__).parent / "template"
_SHOWN_KINDS = ["text/html", "text/markdown", "image/png", "image/jpeg", "image/svg+xml", "text/plain"]
_BANDS = {
    "rely": ("\u2713", "You can rely on this review"),
    "caution": ("!", "Rely on this review with caution"),
    "do_not_rely": ("\u2715", "Do not rely on this review"),
}


def render_page(
    chapters: Sequence[tuple[str, NotebookNode]],
    *,
    title: str,
    subtitle: str,
    band: Mapping[str, Any],
    changes: Mapping[str, pd.DataFrame] | None = None,
    footer: str = "",
) -> str:
    r"""Render executed notebooks as one report, without their code.

    Parameters
    ----------
    chapters : sequence of (str, nbformat.NotebookNode)
        Name and executed notebook of each chapter, in reading order. A notebook's first h1 is its heading;
        the name is used for links, and in words where there is no h1.
    title, subtitle : str
        The page's only h1, and the line below it.
    band : mapping
        `status` (`rely`, `caution` or `do_not_rely`), `headline`, and `reasons`, a list of sentences.
    changes : mapping of str to pandas.DataFrame, optional
        By chapter name, rows to show below its heading as 'What changed': one row is one measure, all cells
        formatted text; missing values are blank, an empty table is left out.
    footer : str, default ""
        Plain text at the end.

    Returns
    -------
    str
        The page; the same input gives the same bytes.

    Raises
    ------
    ValueError
        Where a picture has no alt text or lies outside, a cell failed, a chapter's name is there twice,
        `changes` names an unknown chapter, or the band's status is unknown.

    Examples
    --------
    >>> from nbformat.v4 import new_markdown_cell, new_notebook
    >>> notebook = new_notebook(cells=[new_markdown_cell("# What they say\n\nAll is well.")])
    >>> page = render_page([("scores", notebook)], title="Shop", subtitle="2026Q3",
    ...     band={"status": "rely", "headline": "All sources are fresh.", "reasons": []})
    >>> page.count("<h1>"), '<h2 id="scores-title">What they say</h2>' in page
    (1, True)
    """
    names = [name for name, _ in chapters]
    if len(set(names)) != len(names):
        raise ValueError(f"A chapter is there twice: {', '.join(sorted(names))}; expected each name once.")
    unknown = sorted(set(changes or {}) - set(names))
    if unknown:
        raise ValueError(f"changes names {', '.join(unknown)}, but the chapters are {', '.join(names)}.")
    parts = []
    for name, notebook in chapters:
        anchor = _make_anchor(name)
        heading, body = _render_body(notebook, name=name, prefix=anchor, top=3, with_code=False)
        heading = heading or name.replace("_", " ").capitalize()
        table = (changes or {}).get(name)
        part = {"id": anchor, "title": heading, "body": Markup(body)}
        parts.append(part | {"changes": _render_changes(table, heading=heading)})
    return _fill_page(
        title=title, subtitle=subtitle, band=_read_band(band), chapters=parts, footer=footer, contents=True
    )


def render_chapter(notebook: NotebookNode, *, title: str) -> str:
    """Render one executed notebook as a page of its own, with its code.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        The executed notebook; its own first h1 gives way to `title`.
    title : str
        The page's only h1; it names the chapter in errors.

    Returns
    -------
    str
        The page; the same input gives the same bytes.

    Raises
    ------
    ValueError
        Where a picture has no alt text or lies outside, or a cell failed.

    Examples
    --------
    >>> from nbformat.v4 import new_code_cell, new_notebook
    >>> page = render_chapter(new_notebook(cells=[new_code_cell("1 + 1")]), title="Sums")
    >>> "<h1>Sums</h1>" in page, "highlight" in page
    (True, True)
    """
    _, body = _render_body(notebook, name=title, prefix="part", top=2, with_code=True)
    part = {"id": "part", "title": title, "body": Markup(body), "changes": ""}
    return _fill_page(title=title, subtitle="", band=None, chapters=[part], footer="", contents=False)


def _render_body(
    notebook: NotebookNode, *, name: str, prefix: str, top: int, with_code: bool
) -> tuple[str, str]:
    """Render a notebook as title and fragment of HTML."""
    shown = keep_shown_cells(normalise_notebook(notebook), chapter=name)
    exporter = _make_exporter(with_code)
    soup = BeautifulSoup(exporter.from_notebook_node(shown)[0], "html.parser")
    check_images(soup, chapter=name)
    strip_active(soup)
    heading = order_headings(soup, prefix=prefix, top=top)
    mend_tables(soup, drop_counter=not with_code)
    keep_units(soup)
    return heading, re.sub(r"\n{2,}", "\n", str(soup)).strip()


@cache
def _make_exporter(with_code: bool) -> HTMLExporter:
    """Set up nbconvert with our template over its `basic`."""
    config = Config({"NbConvertBase": {"display_data_priority": _SHOWN_KINDS}})
    return HTMLExporter(
        config=config,
        template_name="chapter",
        extra_template_basedirs=[str(_TEMPLATE)],
        exclude_input=not with_code,
        exclude_anchor_links=True,
    )


def _make_anchor(name: str) -> str:
    """Make a chapter's name fit for a link."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "chapter"


def _render_changes(table: pd.DataFrame | None, *, heading: str) -> Markup:
    """Render the rows of 'What changed'."""
    if table is None or table.empty:
        return Markup("")
    soup = BeautifulSoup(table.to_html(index=False, na_rep="", border=0), "html.parser")
    mend_tables(soup)
    keep_units(soup)
    for found in soup.find_all("table"):
        found.insert(0, soup.new_tag("caption", string=f"What changed: {heading}", attrs={"class": "hidden"}))
    for frame in soup.select("div.table"):
        frame["aria-label"] = f"What changed: {heading}"
    return Markup(str(soup))


def _read_band(band: Mapping[str, Any]) -> dict[str, Any]:
    """Check the band, and add the words and the sign that stand beside its colour."""
    if band.get("status") not in _BANDS:
        raise ValueError(f"The band's status is {band.get('status')!r}; expected one of {', '.join(_BANDS)}.")
    sign, words = _BANDS[band["status"]]
    return {"reasons": [], "headline": ""} | dict(band) | {"sign": sign, "words": words}


def _fill_page(**parts: Any) -> str:
    """Fill the page's template; all text is escaped but the chapters' own markup."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATE),
        autoescape=True,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template("page.html.j2").render(**parts)
