"""Figures for a paper: as wide as its columns, in type of 8 points that is in the file, and nothing cut off."""

import re
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
import xarray as xr
from matplotlib.text import Text

from dmf.figures import _style, figure_names, load_figure
from dmf.figures.figure import draw

Study = Callable[[str], tuple[xr.Dataset, xr.Dataset]]
POINTS = 72


@pytest.mark.parametrize("name", figure_names())
def test_a_drawing_for_print_is_a_column_wide_in_type_that_is_within_and_nothing_is_cut_off(
    name: str, read: Study, tmp_path: Path
) -> None:
    file = tmp_path / "figure.pdf"
    with _style.applied(paper=True):
        canvas = load_figure(name).compose(*read(name), {})
        _style.save(canvas, file)
    (box,) = re.findall(rb"/MediaBox \[ *0 0 ([0-9.]+) ([0-9.]+) *\]", file.read_bytes())
    assert float(box[0]) / POINTS in (pytest.approx(3.4), pytest.approx(7.0))
    whole = unpacked(file.read_bytes())
    assert b"/FontFile2" in whole  # TrueType, embedded
    assert b"/Type3" not in whole
    drawn, (width, height) = canvas.get_tightbbox(), canvas.get_size_inches()
    assert min(drawn.x0, drawn.y0) >= -0.01
    assert drawn.x1 <= width + 0.01
    assert drawn.y1 <= height + 0.01
    sizes = {text.get_fontsize() for text in canvas.findobj(Text) if text.get_visible() and text.get_text().strip()}
    assert max(sizes) == 8
    assert min(sizes) >= 7.5 or name == "targets"  # the names of a target's many rows


def test_what_is_one_row_on_the_page_is_one_column_in_print(read: Study, tmp_path: Path) -> None:
    for paper, places in ((False, "rows"), (True, "columns")):
        with _style.applied(paper):
            canvas = load_figure("uniqueness").compose(*read("uniqueness"), {})
        boxes = [axes.get_position() for axes in canvas.axes]
        assert len({round(box.y0 if places == "rows" else box.x0, 3) for box in boxes}) == 1 < len(boxes)


def test_printing_again_changes_no_byte(read: Study, tmp_path: Path) -> None:
    files = [tmp_path / "one.pdf", tmp_path / "again.pdf"]
    for file in files:
        draw("phase", *read("phase"), {}, [file], paper=True)
    assert files[0].read_bytes() == files[1].read_bytes()


def unpacked(pdf: bytes) -> bytes:
    """A PDF with the content of its streams behind it."""
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL)
    return pdf + b"".join(zlib.decompressobj().decompress(part) for part in streams if part[:1] == b"x")
