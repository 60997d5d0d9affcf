"""The page: readable by everybody, nothing from outside, the same bytes for the same input."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from bs4 import BeautifulSoup
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from journeylib.review.page import normalise_notebook, render_chapter, render_page

BAND = {"status": "rely", "headline": "All sources are fresh.", "reasons": ["1 row of 100 set aside."]}
#: One white pixel.
PNG = base64.b64encode(
    bytes.fromhex(
        "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
        "0000000c49444154789c63f8ffff3f0005fe02fe0def46b80000000049454e44ae426082"
    )
).decode()


def make_code(source: str, *outputs: NotebookNode, tags: tuple[str, ...] = ()) -> NotebookNode:
    return new_code_cell(source, outputs=list(outputs), execution_count=1, metadata={"tags": list(tags)})


def show_table(table: pd.DataFrame, **metadata: Any) -> NotebookNode:
    data = {"text/html": table._repr_html_(), "text/plain": str(table)}
    return new_output("execute_result", data=data, metadata={"text/html": metadata}, execution_count=1)


def show_picture(alt: str | None = "Two bars, 3 and 4.") -> NotebookNode:
    metadata = {} if alt is None else {"image/png": {"alt": alt, "width": 920}}
    return new_output("display_data", data={"image/png": PNG, "text/plain": "x"}, metadata=metadata)


def make_notebook(*cells: NotebookNode, title: str = "# Where customers leave") -> NotebookNode:
    return new_notebook(cells=[new_markdown_cell(title), *cells])


def render(*notebooks: NotebookNode, **options: Any) -> BeautifulSoup:
    chapters = [(f"chapter_{place}", notebook) for place, notebook in enumerate(notebooks, start=1)]
    settings = {"title": "Shop & Co", "subtitle": "2026Q3", "band": BAND} | options
    return BeautifulSoup(render_page(chapters, **settings), "html.parser")


def read(soup: BeautifulSoup, selector: str) -> list[str]:
    return [found.get_text(" ", strip=True) for found in soup.select(selector)]


# --- the page as a whole ---


def test_the_page_says_its_language_has_a_skip_link_to_main_and_contents() -> None:
    soup = render(make_notebook(), make_notebook(title="# What they say"))
    assert soup.html["lang"] == "en"
    assert soup.select_one("a.skip")["href"] == f"#{soup.main['id']}"
    assert read(soup, "nav[aria-label] a") == ["Where customers leave", "What they say"]
    assert all(soup.find(id=link["href"][1:]) for link in soup.select("nav a"))


def test_title_subtitle_footer_and_reasons_are_escaped() -> None:
    soup = render(make_notebook(), title="<b>A & B</b>", footer="x < y", band=BAND | {"reasons": ["<i>"]})
    assert read(soup, "h1") == ["<b>A & B</b>"]
    assert read(soup, "footer") == ["x < y"]
    assert read(soup, ".band li") == ["<i>"]


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("rely", "You can rely on this review"),
        ("caution", "Rely on this review with caution"),
        ("do_not_rely", "Do not rely on this review"),
    ],
)
def test_the_band_says_in_words_what_its_colour_says(status: str, words: str) -> None:
    soup = render(make_notebook(), band=BAND | {"status": status})
    assert soup.select_one("main > div")["class"] == ["band", status]
    assert words in read(soup, ".band .label")[0]
    assert read(soup, ".band .headline") == ["All sources are fresh."]


def test_an_unknown_status_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="'green'; expected one of rely, caution, do_not_rely"):
        render(make_notebook(), band=BAND | {"status": "green"})


def test_nothing_is_fetched_and_nothing_acts() -> None:
    outside = (
        '<link href="https://x.org/a.css"><script>alert(1)</script><iframe src="https://x.org"></iframe>'
    )
    html = f'<p onclick="go()" style="background: url(https://x.org/b.png)">Text</p>{outside}'
    output = new_output("display_data", data={"text/html": html})
    page = str(render(make_notebook(new_markdown_cell(html), make_code("x", output))))
    assert "<script" not in page
    assert "<iframe" not in page
    assert "onclick" not in page
    assert "x.org" not in page
    assert "url(" not in page
    assert [href for href in re.findall(r'<link[^>]*href="([^"]*)"', page)] == ["data:,"]


def test_a_link_to_the_web_stays_and_a_link_to_another_notebook_becomes_its_words() -> None:
    soup = render(make_notebook(new_markdown_cell("[a](https://example.org) and [b](other.ipynb)")))
    assert [link["href"] for link in soup.select("section a")] == ["https://example.org"]
    assert read(soup, "section p") == ["a and b"]


def test_ids_are_there_once_though_chapters_have_the_same_headings() -> None:
    notebook = make_notebook(new_markdown_cell("## Limits\n\n## Limits"))
    ids = [found["id"] for found in render(notebook, notebook).select("[id]")]
    assert len(ids) == len(set(ids))
    assert "chapter-1-limits-2" in ids


def test_a_chapter_that_is_there_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="scores"):
        render_page([("scores", make_notebook())] * 2, title="", subtitle="", band=BAND)


# --- headings and cells ---


def test_there_is_one_h1_and_no_level_of_headings_is_skipped() -> None:
    cells = new_markdown_cell("## One\n\n#### Two\n\n# Three\n\n###### Four")
    levels = [int(found.name[1]) for found in render(make_notebook(cells)).find_all(re.compile("^h[1-6]$"))]
    assert levels == [1, 2, 3, 4, 3, 4]


def test_a_notebook_without_a_title_is_headed_by_its_name_in_words() -> None:
    soup = BeautifulSoup(
        render_page([("what_they_say", new_notebook())], title="", subtitle="", band=BAND), "html.parser"
    )
    assert read(soup, "h2") == ["What they say"]


def test_code_prompts_and_tagged_cells_are_not_on_the_page() -> None:
    text = new_output("stream", name="stdout", text="secret output")
    hidden = [
        make_code("kept_back_code = 1", text, tags=(tag,))
        for tag in ("parameters", "injected-parameters", "hide")
    ]
    prose = new_markdown_cell("kept_back prose", metadata={"tags": ["hide"]})
    page = str(render(make_notebook(*hidden, prose, make_code("shown_code = 1", show_picture()))))
    assert not re.search(r"kept_back|secret|shown_code|In\s*\[|Out\[", page)
    assert "Two bars" in page


def test_printed_text_is_escaped_and_progress_on_stderr_is_left_out() -> None:
    out = new_output("stream", name="stdout", text="1 < 2\n")
    progress = new_output("stream", name="stderr", text="100%|###| 3/3")
    soup = render(make_notebook(make_code("x", out, progress)))
    assert read(soup, "pre") == ["1 < 2"]


def test_an_output_that_only_names_an_object_is_left_out() -> None:
    axes = new_output("execute_result", data={"text/plain": "<Axes: title='x'>"}, execution_count=1)
    number = new_output("execute_result", data={"text/plain": "42"}, execution_count=1)
    assert read(render(make_notebook(make_code("x", axes), make_code("y", number))), "pre") == ["42"]


def test_a_failed_cell_is_refused_with_chapter_and_error() -> None:
    error = new_output("error", ename="KeyError", evalue="'nps'", traceback=[])
    with pytest.raises(ValueError, match="chapter_1: a cell failed with KeyError: 'nps'"):
        render(make_notebook(make_code("x", error)))
    assert render(make_notebook(make_code("x", error, tags=("raises-exception",)))).h1


# --- pictures ---


def test_a_picture_keeps_its_own_words_and_width() -> None:
    image = render(make_notebook(make_code("x", show_picture('A "quoted" & new one')))).img
    assert (image["alt"], image["width"]) == ('A "quoted" & new one', "920")
    assert image["src"] == f"data:image/png;base64,{PNG}"


@pytest.mark.parametrize("alt", [None, "", "  "])
def test_a_picture_without_words_is_refused_with_the_chapter_s_name(alt: str | None) -> None:
    with pytest.raises(ValueError, match="chapter_1: picture 2 has no alt text"):
        render(make_notebook(make_code("x", show_picture(), show_picture(alt))))


def test_a_picture_in_prose_without_words_is_refused() -> None:
    with pytest.raises(ValueError, match="no alt text"):
        render(make_notebook(new_markdown_cell(f"![](data:image/png;base64,{PNG})")))


@pytest.mark.parametrize("source", ["https://x.org/a.png", "figures/a.png"])
def test_a_picture_from_outside_is_refused(source: str) -> None:
    with pytest.raises(ValueError, match="lies outside the notebook"):
        render(make_notebook(new_markdown_cell(f"![words]({source})")))


def test_an_svg_without_words_is_refused_and_with_words_is_embedded() -> None:
    svg = {"image/svg+xml": '<svg xmlns="http://www.w3.org/2000/svg"/>'}
    with pytest.raises(ValueError, match="no alt text"):
        render(make_notebook(make_code("x", new_output("display_data", data=svg))))
    described = new_output("display_data", data=svg, metadata={"image/svg+xml": {"alt": "A drawing."}})
    assert (
        render(make_notebook(make_code("x", described))).img["src"].startswith("data:image/svg+xml;base64,")
    )


# --- tables ---

SCORES = pd.DataFrame(
    {"score": [4.1, 3.2], "share": ["82.1 %", "81.0\u00a0%"], "owner": ["IT", "retail"]},
    index=pd.Index(["wifi", "shops"], name="touchpoint"),
)


def read_table(table: pd.DataFrame, **metadata: Any) -> BeautifulSoup:
    return render(make_notebook(make_code("x", show_table(table, **metadata))))


def test_every_header_has_words_and_a_scope() -> None:
    headers = [(found.get_text(), found["scope"]) for found in read_table(SCORES).select("th")]
    assert headers == [
        ("touchpoint", "col"),
        ("score", "col"),
        ("share", "col"),
        ("owner", "col"),
        ("wifi", "row"),
        ("shops", "row"),
    ]


def test_the_empty_corner_of_an_unnamed_index_is_a_plain_cell() -> None:
    soup = read_table(SCORES.rename_axis(None))
    assert soup.select_one("thead tr").find(True).name == "td"


def test_an_unnamed_counter_is_left_out_and_a_named_one_stays() -> None:
    table = pd.DataFrame({"action": ["mend", "sign"], "gain": [1, 2]})
    assert read(read_table(table), "tbody tr") == ["mend 1", "sign 2"]
    assert read(read_table(table.rename_axis("answer")), "tbody tr") == ["0 mend 1", "1 sign 2"]
    assert read(read_table(table), "tbody th") == ["mend", "sign"]


def test_an_unnamed_index_that_does_not_count_stays() -> None:
    table = pd.DataFrame({"n": [5, 6]}, index=[1, 2])
    assert read(read_table(table), "tbody th") == ["1", "2"]


def test_columns_of_numbers_are_marked_with_their_header_and_words_are_not() -> None:
    soup = read_table(SCORES)
    assert read(soup, "thead .num") == ["score", "share"]
    assert read(soup, "tbody tr:first-child .num") == ["4.1", "82.1\u00a0%"]


@pytest.mark.parametrize(
    "cell", ["1,204", "\u22120.85 (\u22120.93 to \u22120.77)", "+39.8", "4.06 [4.0, 4.1]", "3 pp"]
)
def test_formatted_numbers_are_numbers(cell: str) -> None:
    assert read(read_table(pd.DataFrame({"a": ["x"], "b": [cell]})), "td.num") == [cell]


@pytest.mark.parametrize("cell", ["2017Q3", "Q1", "1 of 3 steps", "30 June 2017"])
def test_words_with_digits_are_not_numbers(cell: str) -> None:
    assert read(read_table(pd.DataFrame({"a": ["x"], "b": [cell]})), ".num") == []


def test_a_blank_cell_does_not_make_a_column_of_numbers_words() -> None:
    soup = read_table(pd.DataFrame({"a": ["x", "y"], "b": ["+1.0", ""]}))
    assert len(soup.select("tbody td.num")) == 2


@pytest.mark.parametrize("words", ["fewer than 10", "not measured", "too few to show"])
def test_what_stands_for_a_number_does_not_make_a_column_of_numbers_words(words: str) -> None:
    soup = read_table(pd.DataFrame({"a": ["x", "y", "z"], "n": ["27 (low base)", words, "9.1 h"]}))
    assert len(soup.select("tbody td.num")) == 3


def test_a_number_keeps_its_unit_on_its_line() -> None:
    cell = new_markdown_cell(
        "It fell to 68.5 % (n 279) in 3 days, `5 %` as typed; 4 minutes and the 2 halls."
    )
    text = render(make_notebook(cell)).get_text()
    assert "68.5\u00a0% (n\u00a0279) in 3\u00a0days, 5 % as typed; 4 minutes and the 2 halls." in text


def test_grouped_columns_and_rows_have_group_scopes() -> None:
    index = pd.MultiIndex.from_product([["use"], ["wifi", "shops"]], names=["stage", "touchpoint"])
    columns = pd.MultiIndex.from_product([["now"], ["value", "n"]])
    soup = read_table(pd.DataFrame(1, index=index, columns=columns))
    assert [found.get_text() for found in soup.select('[scope="colgroup"]')] == ["now"]
    assert [found.get_text() for found in soup.select('[scope="rowgroup"]')] == ["use"]
    assert all(found.get_text(strip=True) for found in soup.select("th"))


def test_a_caption_comes_from_the_output_s_metadata() -> None:
    soup = read_table(SCORES, caption="Scores & owners")
    assert read(soup, "table > caption:first-child") == ["Scores & owners"]
    assert soup.select_one(".table")["aria-label"] == "Scores & owners"


def test_a_table_without_caption_is_named_by_the_heading_above_and_can_be_reached_by_keyboard() -> None:
    cells = [new_markdown_cell("## Do first"), make_code("x", show_table(SCORES))]
    frame = render(make_notebook(*cells)).select_one(".table")
    assert (frame["aria-label"], frame["role"], frame["tabindex"]) == ("Do first", "group", "0")


def test_an_empty_table_says_so() -> None:
    assert read(read_table(SCORES.iloc[:0]), "tbody td") == ["No rows"]


def test_a_styled_table_keeps_its_caption_and_loses_random_ids_and_styles() -> None:
    pages = []
    for _ in range(2):
        html = SCORES.style.set_caption("Styled").highlight_max(subset=["score"]).to_html()
        pages.append(
            str(render(make_notebook(make_code("x", new_output("display_data", data={"text/html": html})))))
        )
    assert pages[0] == pages[1]
    assert "T_" not in pages[0]
    assert "<caption>Styled</caption>" in pages[0]


def test_a_table_in_prose_has_scopes_too() -> None:
    soup = render(make_notebook(new_markdown_cell("| word | meaning |\n|---|---|\n| session | a visit |")))
    assert [found["scope"] for found in soup.select("th")] == ["col", "col", "row"]


# --- what changed ---

CHANGES = pd.DataFrame(
    {
        "Measure": ["NPS", "Wi-Fi <mean>"],
        "Now": ["+39.8", "3.21"],
        "Before": [None, "3.35"],
        "Verdict": ["not compared", "\u25bc fell"],
    }
)


def test_what_changed_stands_under_its_chapter_s_heading_before_the_rest() -> None:
    notebook = make_notebook(new_markdown_cell("Prose."))
    soup = render(notebook, notebook, changes={"chapter_2": CHANGES})
    first, second = soup.select("section")
    assert not first.select(".changes")
    assert [part.name for part in second.find_all(True, recursive=False)] == ["h2", "div", "p"]
    assert read(second, ".changes h3") == ["What changed"]


def test_what_changed_is_escaped_blank_where_missing_and_marks_only_what_moved() -> None:
    soup = render(make_notebook(), changes={"chapter_1": CHANGES})
    assert read(soup, ".changes tbody tr") == ["NPS +39.8 not compared", "Wi-Fi <mean> 3.21 3.35 \u25bc fell"]
    assert read(soup, ".moved") == ["\u25bc fell"]
    assert read(soup, ".changes caption") == ["What changed: Where customers leave"]


def test_an_empty_table_of_changes_is_left_out() -> None:
    assert "What changed" not in str(render(make_notebook(), changes={"chapter_1": CHANGES.iloc[:0]}))


def test_changes_of_an_unknown_chapter_are_refused() -> None:
    with pytest.raises(ValueError, match="changes names scores"):
        render(make_notebook(), changes={"scores": CHANGES})


# --- one chapter alone ---


def test_a_chapter_alone_shows_its_code_but_no_parameters_and_has_one_h1() -> None:
    cells = [
        make_code("period = 2017", tags=("injected-parameters",)),
        make_code("funnel.head()", show_table(SCORES)),
    ]
    soup = BeautifulSoup(
        render_chapter(make_notebook(*cells, new_markdown_cell("## Limits")), title="Leaving"), "html.parser"
    )
    assert read(soup, "h1") == ["Leaving"]
    assert read(soup, "h2") == ["Limits"]
    assert [block.get_text(strip=True) for block in soup.select("pre")] == ["funnel.head()"]
    assert not soup.select("nav, .band")


def test_a_chapter_alone_names_itself_where_a_picture_has_no_words() -> None:
    with pytest.raises(ValueError, match="Leaving: picture 1"):
        render_chapter(make_notebook(make_code("x", show_picture(None))), title="Leaving")


# --- the same bytes ---


def run_like_papermill(duration: float) -> NotebookNode:
    pieces = ["a", "bc"] if duration < 2 else ["abc"]
    outputs = [new_output("stream", name="stdout", text=piece) for piece in pieces]
    outputs += [new_output("stream", name="stderr", text=f"{Path.home()}/{duration}.py")]
    outputs += [
        new_output("execute_result", data={"text/plain": f"[<Line at 0x{id(outputs):x}>]"}, execution_count=1)
    ]
    cell = make_code("x", *outputs)
    cell.metadata.update(papermill={"duration": duration}, execution={"iopub.execute_input": str(duration)})
    notebook = make_notebook(cell)
    notebook.metadata.update(
        papermill={"output_path": f"/tmp/{duration}.ipynb"},
        kernelspec={"name": f"kernel-{duration}", "display_name": "mine", "language": "python"},
        language_info={"name": "python", "version": f"3.11.{duration}"},
    )
    return notebook


def test_two_runs_of_a_notebook_are_the_same_after_normalising() -> None:
    first, second = (normalise_notebook(run_like_papermill(duration)) for duration in (1.0, 2.5))
    assert first == second
    assert first.cells[1].outputs[0].text == "abc"
    assert first.cells[1].execution_count == 1
    assert "papermill" not in str(first)


def test_normalising_does_not_change_its_input() -> None:
    notebook = run_like_papermill(1.0)
    before = str(notebook)
    normalise_notebook(notebook)
    render_chapter(notebook, title="x")
    assert str(notebook) == before


def test_normalising_twice_changes_nothing_more() -> None:
    once = normalise_notebook(run_like_papermill(1.0))
    assert normalise_notebook(once) == once


def test_the_same_notebooks_give_the_same_page_whatever_their_cells_are_called() -> None:
    pages = [str(render(make_notebook(make_code("x", show_table(SCORES), show_picture())))) for _ in range(2)]
    assert pages[0] == pages[1]
