"""A tiny project, typed here: two quarters of clicks and of a survey, enough for every chapter."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from journeylib.cli import main
from journeylib.review.run import CHAPTERS

PERIOD = "2024Q3"
SETTINGS = """\
[project]
slug = "tiny"
timezone = "Europe/Berlin"

[sources.events.clicks]
path = "raw/clicks.csv"

[sources.survey.autumn]
path = "raw/survey.csv"

[funnel.buy]
steps = ["shop", "basket", "event:purchase"]
window_days = 7

[targets]
nps = 30
"""
TOUCHPOINTS = """\
pattern,touchpoint,stage,channel,online
view*,shop,consideration,web,yes
add*,basket,decision,web,yes
purchase,checkout,decision,web,yes
"""
CODEBOOK = """\
question,column,role,touchpoint,stage,label,scale_min,scale_max,orientation,blank,not_applicable,values
id,id,respondent,,,,,,,,,
when,answered,answered_at,,,,,,,,,
who,user,customer,,,,,,,,,
recommend,q1,nps,,,Would you recommend us?,0,10,,11,,
easy,q2,ces,checkout,decision,How easy was it?,1,7,higher_is_better,0,8,
happy,q3,csat,shop,consideration,How happy?,1,5,,0,6,
region,region,segment,,,,,,,,,n=North;s=South
"""
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
DEVICES = ("desktop", "mobile")


def write_clicks() -> str:
    """Return clicks: 24 customers in each quarter, of whom a third views, puts into the basket, or buys."""
    lines = ["occurred_at,name,customer,event_id,device_type"]
    for first in (date(2024, 4, 1), date(2024, 7, 1)):
        for customer in range(24):
            day = first + timedelta(days=1 + customer * 4 % 89)
            names = ["view_item", "view_item", "add_basket", "purchase"][: 2 + customer % 3]
            for hour, name in enumerate(names):
                told = f"{day}T1{hour}:00:00Z,{name},c{customer},e{len(lines)},{DEVICES[customer % 2]}"
                lines.append(told)
    for day in ("2024-06-30", "2024-09-30"):  # both quarters are covered to their last day
        lines.append(f"{day}T12:00:00Z,view_item,c1,e{len(lines)},mobile")
    return "\n".join(lines) + "\n"


def write_survey() -> str:
    """Return a survey: 36 respondents in each quarter, who use the whole of each scale."""
    lines = ["id,answered,user,q1,q2,q3,region"]
    for quarter, month in enumerate((4, 7)):
        for place in range(36):
            when = f"2024-{month + place % 3:02d}-{1 + place % 28:02d} 12:00"
            answers = f"{(place * 7 + quarter) % 11},{1 + place % 7},{1 + place % 5}"
            lines.append(f"r{quarter}_{place},{when},c{place % 24},{answers},{'ns'[place % 2]}")
    return "\n".join(lines) + "\n"


def write_tiny(folder: Path) -> Path:
    """Write the tiny project."""
    (folder / "raw").mkdir(parents=True)
    texts = {
        "journey.toml": SETTINGS,
        "touchpoints.csv": TOUCHPOINTS,
        "survey_codebook.csv": CODEBOOK,
        "raw/clicks.csv": write_clicks(),
        "raw/survey.csv": write_survey(),
    }
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    return folder


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    return write_tiny(tmp_path / "tiny")


@pytest.fixture(scope="session")
def make_tiny() -> Callable[[Path], Path]:
    return write_tiny


@pytest.fixture
def command(capfd: pytest.CaptureFixture[str]) -> Iterator[Callable[..., Ended]]:
    """Run the command in this process."""

    def run(*words: object) -> Ended:
        capfd.readouterr()
        try:
            code = main([str(word) for word in words])
        except SystemExit as error:
            code = int(error.code or 0)
        said = capfd.readouterr()
        return Ended(code, said.out, said.err)

    yield run


def write_report(place: Path, text: str = "the last good report") -> Path:
    """Write a published report as the command leaves it: a version, and a link to it."""
    version = place.parent / ".versions" / f"{place.name}@1"
    version.mkdir(parents=True)
    for name in ("review.html", "findings.csv", "manifest.json"):
        (version / name).write_text(text, encoding="utf-8")
    place.symlink_to(Path(".versions") / version.name, target_is_directory=True)
    return place


@pytest.fixture(scope="session")
def make_report() -> Callable[..., Path]:
    return write_report


def list_tree(folder: Path) -> dict[str, bytes | str]:
    """Return every file and link below a folder with what it holds, locks apart."""
    held: dict[str, bytes | str] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            held[name] = str(path.readlink())
        elif path.is_file() and path.suffix != ".lock":
            held[name] = path.read_bytes()
    return held


@pytest.fixture(scope="session")
def look() -> Callable[[Path], dict[str, bytes | str]]:
    return list_tree


def write_chapters(folder: Path, codes: dict[str, str] | None = None) -> Path:
    """Write chapters of two short cells each; the second may be given by the chapter's name."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, _ in CHAPTERS:
        given = "report" if name == "first_page" else "tables,period,record_to,most_rows"
        lines = [f'{one} = "x"' if one != "most_rows" else "most_rows = 12" for one in given.split(",")]
        code = (codes or {}).get(name, "print(1 + 1)")
        cells = [
            new_markdown_cell(f"# {name}"),
            new_code_cell("\n".join(lines), metadata={"tags": ["parameters"]}),
            new_code_cell(code),
        ]
        nbformat.write(new_notebook(cells=cells, metadata=METADATA), folder / f"{name}.ipynb")
    return folder


@pytest.fixture
def chapters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, str]], Path]:
    """Let the review run short chapters, so that a run takes seconds."""

    def put(codes: dict[str, str] | None = None) -> Path:
        folder = write_chapters(tmp_path / "chapters", codes)
        monkeypatch.setattr("journeylib.review.run.find_notebooks", lambda: folder)
        return folder

    return put


# The command with short chapters, as a process of its own: the first word is the folder of the chapters.
DRIVER = """
import sys
from pathlib import Path
import journeylib.review.run as run
chapters = Path(sys.argv[1])
run.find_notebooks = lambda: chapters
from journeylib.cli import main
sys.exit(main(sys.argv[2:]))
"""


@pytest.fixture
def scratch() -> Iterator[Path]:
    """Return a temporary folder for the kernels; its name is short, as sockets need it."""
    folder = Path(tempfile.mkdtemp(prefix="jt", dir="/tmp" if Path("/tmp").is_dir() else None))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def driver(tmp_path: Path, scratch: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start the command with short chapters in a process and with a temporary folder of its own."""
    started: list[subprocess.Popen[str]] = []

    def start(
        *words: object, codes: dict[str, str] | None = None, prepare: Callable[[], None] | None = None
    ) -> subprocess.Popen[str]:
        folder = write_chapters(tmp_path / "chapters", codes)
        process = subprocess.Popen(
            [sys.executable, "-c", DRIVER, str(folder), *map(str, words)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
            env={**os.environ, "TMPDIR": str(scratch)},
            preexec_fn=prepare,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
            process.communicate()


@pytest.fixture
def kernels(scratch: Path) -> Callable[[], list[int]]:
    """Return the processes of kernels that were started with this test's temporary folder."""
    return lambda: list_kernels(scratch)


def list_kernels(folder: Path) -> list[int]:
    """Return the processes whose command line names a folder: kernels with their connection files in it."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if f"{folder}/".encode() in path.read_bytes() and int(path.parent.name) != os.getpid():
                found.append(int(path.parent.name))
    return found
