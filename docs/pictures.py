"""Makes the pictures of the documentation from a finished report: `make pictures`, or python docs/pictures.py REPORT.

Needs an installed Chromium (Debian: apt-get install chromium) and the extra dev.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

HERE = Path(__file__).parent
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
WIDTH = 1280  # pixels of a screen
HEIGHTS = {"report": ("index.html", 800), "explorer": ("explorer.html", 1010)}  # pages, and what is seen of them
COLOURS = 256  # enough for pages and figures of few colours; a third of the bytes


def main(report: Path) -> None:
    """Write collapse.png, report.png and explorer.png. Ends the process with one line where something is missing."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        sys.exit(f"pictures: none of {', '.join(PROGRAMS)} is installed (Debian: apt-get install chromium)")
    if not (report / "verified.txt").exists():
        sys.exit(f"pictures: {report} is no verified report; run make first")
    shutil.copy(report / "figures" / "collapse.png", HERE / "collapse.png")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        for name, (page, height) in HEIGHTS.items():
            opened = browser.new_page(viewport={"width": WIDTH, "height": height})
            opened.goto((report / page).resolve().as_uri())
            opened.screenshot(path=HERE / f"{name}.png")
        browser.close()
    for picture in HERE.glob("*.png"):
        with Image.open(picture) as drawn:
            few = drawn.convert("RGB").quantize(COLOURS)
        few.save(picture, optimize=True)


if __name__ == "__main__":
    main(Path(*sys.argv[1:]) if len(sys.argv) > 1 else Path("reports/default"))
