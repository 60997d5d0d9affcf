"""The README shows the first page of the example report, and the picture is of the page that is there."""

from __future__ import annotations

import hashlib
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
PICTURE = ROOT / "docs" / "first_page.png"


def test_the_readme_shows_the_picture_in_its_first_forty_lines() -> None:
    head = "\n".join((ROOT / "README.md").read_text(encoding="utf-8").splitlines()[:40])
    assert "](docs/first_page.png)" in head


def test_the_picture_is_of_the_example_report_as_it_is() -> None:
    page = (ROOT / "reports" / "example" / "review.html").read_bytes()
    with Image.open(PICTURE) as picture:
        assert picture.info["page-sha256"] == hashlib.sha256(page).hexdigest(), "run make picture"
        assert picture.size[0] >= 1200 and len(picture.getcolors(maxcolors=1 << 24)) > 20
    assert PICTURE.stat().st_size < 500_000
