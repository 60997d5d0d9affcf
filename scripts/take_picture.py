"""Take the README's picture: the first page of the example report, as a browser shows it.

usage: python scripts/take_picture.py      (make picture; needs Chromium)

The picture holds the SHA-256 of the page that it shows, so that a test can tell when it has grown old.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image
from PIL.PngImagePlugin import PngInfo

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "reports" / "example" / "review.html"
PICTURE = ROOT / "docs" / "first_page.png"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge")
WIDTH, HEIGHT = 1280, 1700
# No sandbox, since CI runs as root; nothing that a browser does by itself in the background.
OPTIONS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
)  # fmt: skip


def take_picture(page: Path, picture: Path) -> None:
    """Take a picture of the top of a page."""
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        sys.exit("make picture needs Chromium or Chrome: on Debian, apt-get install chromium")
    with tempfile.TemporaryDirectory() as folder:
        raw = Path(folder) / "page.png"
        own = [f"--user-data-dir={folder}/profile", f"--window-size={WIDTH},{HEIGHT}", f"--screenshot={raw}"]
        command = [browser, *OPTIONS, *own, page.as_uri()]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        if not raw.is_file():
            sys.exit(f"{browser} took no picture: {done.stderr[-500:]}")
        kept = PngInfo()
        kept.add_text("page-sha256", hashlib.sha256(page.read_bytes()).hexdigest())
        shown = Image.open(raw).convert("RGB").quantize(128, dither=Image.Dither.NONE)
        shown.save(picture, pnginfo=kept, optimize=True)


if __name__ == "__main__":
    PICTURE.parent.mkdir(exist_ok=True)
    take_picture(PAGE, PICTURE)
    print(PICTURE.relative_to(ROOT))
