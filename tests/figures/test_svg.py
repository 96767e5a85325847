"""A shortened SVG is the same drawing: nothing it refers to is lost, and nothing moves by more than a hundredth."""

import re
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from matplotlib.figure import Figure as Canvas

from dmf.figures._svg import HREF, SVG, shortened

WRITTEN = f"""<?xml version="1.0"?>
<svg xmlns="{SVG}" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 10 10">
 <metadata>who made it</metadata><!-- a note -->
 <defs><style type="text/css">*{{stroke-linejoin: round}}</style></defs>
 <g id="figure_1"><g id="axes_1">
  <path id="m0a1" d="M 1.2345 2.999 &#10;L 3.000 -0.001 &#10;z&#10;" style="fill: none; stroke: #123456"/>
  <g clip-path="url(#p77)"><use xlink:href="#m0a1" x="5.5050" y="-1.0" style="fill: none; stroke: #123456"/></g>
  <g transform="translate(17.9401 104.585) scale(0.085 -0.085)"><text>two words</text></g>
  <path d="M 1e-5 7" clip-path="url(#p77)" style="stroke-dasharray: 1, 2; stroke-dashoffset: 0"/>
  <image xlink:href="data:image/png;base64,aGVsbG8="/>
 </g></g>
 <clipPath id="p77"><rect x="0" y="0" width="10.12345" height="1"/></clipPath>
</svg>"""


def test_names_notes_and_digits_go_and_every_reference_is_kept() -> None:
    short = shortened(WRITTEN)
    root = ElementTree.fromstring(short)
    named = {element.get("id") for element in root.iter()} - {None}
    referred = set(re.findall(r'(?:url\(#|href="#)([^)"]+)', short))
    assert referred == named
    assert len(named) == 2
    for gone in ("metadata", "note", "figure_1", "axes_1", "m0a1", "p77", "1.2345", "  "):
        assert gone not in short
    assert "two words" in short
    assert "data:image/png;base64,aGVsbG8=" in short
    assert "scale(0.085 -0.085)" in short
    assert 'd="M1.23 3L3 0z"' in short


def test_looks_that_return_are_named_once_and_every_element_keeps_its_own() -> None:
    root = ElementTree.fromstring(shortened(WRITTEN))
    sheet = dict(re.findall(r"\.(\w+)\{([^}]*)\}", root.find(f".//{{{SVG}}}style").text or ""))  # type: ignore[union-attr]
    looks = [sheet.get(element.get("class", ""), element.get("style")) for element in root.iter()]
    assert Counter(look for look in looks if look) == {
        "fill:none;stroke:#123456": 2,
        "stroke-dasharray:1, 2;stroke-dashoffset:0": 1,
    }
    assert len(sheet) == 1


def places(svg: str) -> list[float]:
    """All coordinates of lines and marks, in order."""
    root = ElementTree.fromstring(svg)
    texts = [element.get(key) or "" for element in root.iter() for key in ("d", "x", "y")]
    return [float(number) for text in texts for number in re.findall(r"-?\d+(?:\.\d+)?(?:e-?\d+)?", text)]


def test_a_drawing_of_matplotlibs_keeps_its_places_and_its_marks(tmp_path: Path) -> None:
    canvas = Canvas(figsize=(3, 2))
    axes = canvas.subplots()
    x = np.linspace(0.1, 9, 40)
    axes.plot(x, np.sin(x) / 3, marker="o")
    axes.set_title(r"$\lambda_c$")
    file = tmp_path / "drawing.svg"
    canvas.savefig(file)
    drawn = file.read_text()
    short = shortened(drawn)
    np.testing.assert_allclose(places(short), places(drawn), atol=0.00501)
    assert short.count("<use") == drawn.count("<use")
    assert shortened(short).count("<use") == short.count("<use")
    assert len(short) < 0.8 * len(drawn)
    assert all((element.get(HREF) or "#")[0] == "#" for element in ElementTree.fromstring(short).iter())
