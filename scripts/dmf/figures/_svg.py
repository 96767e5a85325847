"""SVG without what no reader sees: matplotlib's names, notes, white space and digits are a third of its bytes."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

SVG, XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
HREF = f"{{{XLINK}}}href"
LINK = re.compile(r"(?<=url\(#)[^)]+")
NUMBER = re.compile(r"-?\d+\.\d+(?:e[-+]?\d+)?")
PLACES = ("d", "x", "y", "width", "height", "transform")  # attributes in points, or in hundredths of a letter's size
DIGITS = 2  # of a point: a seventh of a thousandth of an inch


def shortened(svg: str, numbers: str = "") -> str:
    """The same drawing in fewer bytes: places to a hundredth of a point, and short names for what others refer to.

    `numbers` is what it shows, for machines (`dmf.figures._drawn`): the text of its element `metadata`, none where "".
    """
    for prefix, space in (("", SVG), ("xlink", XLINK)):
        ElementTree.register_namespace(prefix, space)
    root = ElementTree.fromstring(svg)  # leaves out comments
    for metadata in root.findall(f"{{{SVG}}}metadata"):
        root.remove(metadata)
    names = {old: f"i{place}" for place, old in enumerate(dict.fromkeys(_links(root)))}
    for element in root.iter():
        _shorten(element, names)
    _unwrap(root)
    _classify(root)
    if numbers:
        metadata = Element(f"{{{SVG}}}metadata")
        metadata.text = numbers
        root.insert(0, metadata)
    return ElementTree.tostring(root, encoding="unicode") + "\n"


def numbers_in(file: str | Path) -> dict[str, Any] | None:
    """What the drawing in an SVG file shows, as `shortened` was given it; None where it says nothing."""
    text = ElementTree.parse(file).getroot().findtext(f"{{{SVG}}}metadata")
    numbers: dict[str, Any] | None = json.loads(text) if text else None
    return numbers


def _links(root: Element) -> list[str]:
    """Every name that something refers to, in the order of the drawing."""
    found: list[str] = []
    for element in root.iter():
        for key, value in element.items():
            found += [value[1:]] if key == HREF and value.startswith("#") else LINK.findall(value)
    return found


def _shorten(element: Element, names: dict[str, str]) -> None:
    attributes = {}
    for key, value in element.items():
        if key == "id":
            if value in names:
                attributes[key] = names[value]
        elif key == HREF:
            attributes[key] = f"#{names[value[1:]]}" if value.startswith("#") else value
        elif key == "style":
            attributes[key] = _linked(re.sub(r"([:;]) ", r"\1", value), names)
        else:
            attributes[key] = _places(value) if key in PLACES else _linked(value, names)
    element.attrib.clear()
    element.attrib.update(attributes)
    element.text, element.tail = (part if part and part.strip() else None for part in (element.text, element.tail))


def _classify(root: Element) -> None:
    """Name the looks that return, in the style sheet."""
    looks = Counter(element.get("style") for element in root.iter())
    classes = {look: f"c{place}" for place, look in enumerate(look for look in looks if look and looks[look] > 1)}
    for element in root.iter():
        if element.get("style") in classes:
            element.set("class", classes[element.attrib.pop("style")])
    sheet = root.find(f".//{{{SVG}}}style")
    if sheet is not None and sheet.text:
        sheet.text += "".join(f".{name}{{{look}}}" for look, name in classes.items())


def _linked(value: str, names: dict[str, str]) -> str:
    return LINK.sub(lambda match: names[match.group()], value)


def _places(value: str) -> str:
    if "scale(" in value:  # small factors would lose all their digits
        return value
    rounded = NUMBER.sub(_place, value)
    return re.sub(r" ?([A-DF-Za-df-z]) ?", r"\1", " ".join(rounded.split())) if value[:1] in "Mm" else rounded


def _place(match: re.Match[str]) -> str:
    place = round(float(match.group()), DIGITS) + 0.0  # never -0
    return f"{place:.{DIGITS}f}".rstrip("0").rstrip(".")


def _unwrap(parent: Element) -> None:
    """Put the children of groups that say nothing in the groups' place."""
    for child in list(parent):
        _unwrap(child)
        if child.tag == f"{{{SVG}}}g" and not child.attrib:
            place = list(parent).index(child)
            parent[place : place + 1] = list(child)
