"""Markup for everybody: headings in order, tables with headers, pictures with words, nothing active."""

from __future__ import annotations

import re

from bs4 import BeautifulSoup, Comment, Tag

__all__ = ["check_images", "keep_units", "mend_tables", "order_headings", "strip_active"]

_ACTIVE = (
    "script, style, link, meta, base, iframe, object, embed, form, video, audio, source, noscript, title"
)
_OWN_ATTRIBUTES = {"id", "style", "border", "align", "width", "height", "contenteditable"}
_NUMBER = re.compile(
    r"[+\-\u2212]?\s?[\d.,\u202f]*\d(\s?(%|pp|points?|pts|min|h|days|[A-Z]{3}))?"
    r"([\s:]*([(\[][\d\s.,;:+\-\u2212\u2013%to]*[)\]]|\(low base\)))?"
)
_NO_NUMBER = re.compile(r"fewer than \d+|not measured|too few to show")  # stands where a number would
_UNIT_AFTER_NUMBER = re.compile(r"(?<=\d) (?=(?:%|min|h|days|points)(?![a-z]))|(?<=\bn) (?=\d)")
_BLANK = {"", "nan", "none", "nat", "<na>", "\u2013", "\u2014", "-", "not shown"}


def strip_active(soup: BeautifulSoup) -> None:
    """Take out what could act, fetch or differ from run to run.

    Scripts, styles, frames, comments, handlers and generated ids go; a link that leads nowhere in a report
    of one file (another notebook) becomes its words.

    Parameters
    ----------
    soup : bs4.BeautifulSoup
        A chapter; changed in place.

    Returns
    -------
    None
        The soup is changed.
    """
    for tag in soup.select(_ACTIVE):
        tag.decompose()
    for comment in soup.find_all(string=lambda text: isinstance(text, Comment)):
        comment.extract()
    for tag in soup.find_all(True):
        kept = {"width"} if tag.name == "img" else set()
        for name in list(tag.attrs):
            if name.startswith("on") or name in _OWN_ATTRIBUTES - kept:
                del tag[name]
    for link in soup.find_all("a"):
        if not str(link.get("href", "")).startswith(("https:", "http:", "mailto:")):
            link.unwrap()
    for block in soup.find_all("pre"):
        block["tabindex"] = "0"


def order_headings(soup: BeautifulSoup, *, prefix: str, top: int) -> str:
    """Take the title out of a chapter, and bring its other headings into an order without gaps.

    Parameters
    ----------
    soup : bs4.BeautifulSoup
        A chapter; changed in place.
    prefix : str
        First part of each heading's id, so that ids are unique on a page of many chapters.
    top : int
        The level that the chapter's highest headings get, 2 to 6.

    Returns
    -------
    str
        The text of the first heading where that is an h1; empty otherwise.
    """
    headings = soup.find_all(re.compile(r"^h[1-6]$"))
    title = ""
    if headings and headings[0].name == "h1":
        title = headings[0].get_text(" ", strip=True)
        headings.pop(0).decompose()
    level, seen = top - 1, set[str]()
    for heading in headings:
        level = min(max(int(heading.name[1]) + top - 2, top), level + 1, 6)
        heading.name = f"h{level}"
        slug = re.sub(r"[^a-z0-9]+", "-", heading.get_text(" ").lower()).strip("-") or "part"
        name, count = f"{prefix}-{slug}", 1
        while name in seen:
            count += 1
            name = f"{prefix}-{slug}-{count}"
        seen.add(name)
        heading["id"] = name
    return title


def check_images(soup: BeautifulSoup, *, chapter: str) -> None:
    """Refuse pictures without a text of their own, and pictures from outside.

    Parameters
    ----------
    soup : bs4.BeautifulSoup
        A chapter, before or after the other steps.
    chapter : str
        Its name, for the message.

    Returns
    -------
    None
        Nothing where all is well.

    Raises
    ------
    ValueError
        With the chapter's name and the picture's place among its pictures.
    """
    for place, image in enumerate(soup.find_all("img"), start=1):
        if not str(image.get("src", "")).startswith("data:image/"):
            raise ValueError(
                f"{chapter}: picture {place} lies outside the notebook ({str(image.get('src'))[:60]!r}); "
                "attach it to the cell or draw it."
            )
        words = str(image.get("alt", "")).strip()
        if not words or words.startswith("No description has been provided"):
            raise ValueError(
                f"{chapter}: picture {place} has no alt text; show figures with show_figure(ax), "
                "and give pictures in prose their words: ![what it shows](...)."
            )


def keep_units(soup: BeautifulSoup) -> None:
    """Keep a number and its unit on one line.

    Parameters
    ----------
    soup : bs4.BeautifulSoup
        A chapter; changed in place.

    Returns
    -------
    None
        The soup is changed.
    """
    for text in soup.find_all(string=_UNIT_AFTER_NUMBER):
        if text.find_parent(["pre", "code"]) is None:
            text.replace_with(_UNIT_AFTER_NUMBER.sub("\u00a0", text))


def mend_tables(soup: BeautifulSoup, *, drop_counter: bool = True) -> None:
    """Give tables header scopes, captions, right-aligned numbers and a frame that scrolls by keyboard.

    Parameters
    ----------
    soup : bs4.BeautifulSoup
        A chapter with tables of pandas; changed in place.
    drop_counter : bool, default True
        Leave out an index without a name that only counts 0, 1, 2; name the index to keep it.

    Returns
    -------
    None
        The soup is changed.
    """
    for table in soup.find_all("table"):
        table.attrs.clear()
        for cell in table.find_all(["th", "td", "tr"]):
            cell.attrs = {name: cell[name] for name in ("colspan", "rowspan") if name in cell.attrs}
        _merge_header_rows(table)
        _set_row_headers(table, drop_counter=drop_counter)
        for cell in table.select("thead th, tbody th"):
            _set_scope(cell)
        _mark_columns(table)
        _frame(soup, table)
    for block in soup.select("div.html"):
        block.unwrap()


def _rows(table: Tag, part: str) -> list[list[Tag]]:
    """Read the cells of a table's head or body, row by row."""
    return [row.find_all(["th", "td"]) for row in table.select(f"{part} tr")]


def _words(cell: Tag) -> str:
    return cell.get_text(" ", strip=True)


def _merge_header_rows(table: Tag) -> None:
    """Bring the names of the index, which pandas writes in a row of their own, into the first row."""
    head = _rows(table, "thead")
    if len(head) != 2 or len(head[0]) != len(head[1]):
        return
    names = [_words(cell) for cell in head[1]]
    width = next((place for place, name in enumerate(names) if not name), len(names))
    if not width or any(names[width:]):
        return
    for cell, name in zip(head[0][:width], names[:width], strict=True):
        cell.string = f"{name} / {_words(cell)}" if _words(cell) else name
    table.select("thead tr")[1].decompose()


def _set_row_headers(table: Tag, *, drop_counter: bool) -> None:
    """Let the first column of words head its rows; leave out a bare counter; say where there is no row."""
    head, body = _rows(table, "thead"), _rows(table, "tbody")
    corner_is_empty = len(head) == 1 and bool(head[0]) and not _words(head[0][0])
    counts = [_words(row[0]) for row in body if row] == [str(number) for number in range(len(body))]
    if drop_counter and corner_is_empty and counts and len(head[0]) > 1:
        for row in [*head, *body]:
            row[0].decompose()
        head, body = _rows(table, "thead"), _rows(table, "tbody")
    if body and all(row and row[0].name == "td" for row in body):
        words = [_words(row[0]) for row in body]
        if not all(_NUMBER.fullmatch(word) or word.lower() in _BLANK for word in words):
            for row in body:
                row[0].name = "th"
    if not body and head and table.tbody is not None:
        empty = BeautifulSoup(f'<tr><td colspan="{len(head[-1])}">No rows</td></tr>', "html.parser")
        table.tbody.append(empty)


def _set_scope(cell: Tag) -> None:
    """Say which way a header points; an empty one is no header."""
    if not _words(cell):
        cell.name = "td"
        return
    way, span = ("col", "colspan") if cell.find_parent("thead") else ("row", "rowspan")
    cell["scope"] = f"{way}group" if int(str(cell.get(span) or 1)) > 1 else way


def _mark_columns(table: Tag) -> None:
    """Mark columns of numbers, and in columns of verdicts what moved."""
    head, body = _rows(table, "thead"), _rows(table, "tbody")
    width = len(body[0]) if body else 0
    if any(len(row) != width for row in body):
        return
    for place in range(width):
        cells = [row[place] for row in body]
        header = head[-1][place] if head and len(head[-1]) == width else None
        words = [_words(cell) for cell in cells]
        filled = [word for word in words if word.lower() not in _BLANK and not _NO_NUMBER.fullmatch(word)]
        if filled and all(_NUMBER.fullmatch(word) for word in filled):
            for cell in [*cells, *([header] if header is not None else [])]:
                cell["class"] = "num"
        elif header is not None and _words(header).lower() == "verdict":
            for cell, word in zip(cells, words, strict=True):
                cell["class"] = "moved" if re.search(r"\b(rose|fell)\b", word) else "still"


def _frame(soup: BeautifulSoup, table: Tag) -> None:
    """Put a table into a frame that scrolls, named by its caption or by the heading above it."""
    block = table.find_parent("div", class_="html")
    words = str(block.get("data-caption", "")) if isinstance(block, Tag) else ""
    if table.caption is None and words:
        table.insert(0, soup.new_tag("caption", string=words))
    heading = table.find_previous(re.compile(r"^h[1-6]$"))
    label = _words(table.caption) if table.caption is not None else _words(heading) if heading else "Table"
    table.wrap(
        soup.new_tag("div", attrs={"class": "table", "role": "group", "tabindex": "0", "aria-label": label})
    )
