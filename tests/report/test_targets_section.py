"""The targets of the report: names of what loads most, from a target made to load so; and no name that does harm."""

from collections.abc import Callable
from html.parser import HTMLParser

import numpy as np
import pytest

from dmf.grid.targets import TargetMatrix
from dmf.report.directions import directions

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "javascript:alert(1)",
    "</td></table><h1>x",
    "{{ 7 * 7 }}",
    "{% raw %}",
    "&lt;b&gt; & $x_{$",
    "' onmouseover='alert(1)",
    "</style><script>alert(1)</script>",
    "<!-- -->",
]


class Tags(HTMLParser):
    """Elements with their attributes, and the text between them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def made(left: np.ndarray, sigma: list[float], right: np.ndarray) -> TargetMatrix:
    rows, columns = tuple("abc"), tuple("wxyz")
    return TargetMatrix("t", "t", "file", "f", left[:, : len(sigma)] * sigma @ right[:, : len(sigma)].T, rows, columns)


LEFT = np.array([[0.6, 0.8, 0], [-0.8, 0.6, 0], [0, 0, 1]])
RIGHT = np.eye(4)[:, [2, 0, 1]]


def test_a_direction_is_named_by_what_loads_most() -> None:
    first, second = directions(made(LEFT, [3.0, 1.0], RIGHT), [2, 3])
    # the largest entry of the left vector is made positive
    assert [(name, pytest.approx(w)) for name, w in first.rows] == [("b", 0.8), ("a", -0.6)]
    assert [(name, pytest.approx(w)) for name, w in first.columns] == [("y", -1)]
    assert [name for name, _ in second.rows] == ["a", "b"]
    assert [name for name, _ in second.columns] == ["w"]
    assert (first.sigma, second.sigma) == pytest.approx((3, 1))


def test_a_direction_is_kept_up_to_its_own_critical_lambda() -> None:
    """lambda_c is homogeneous in sigma of degree 2 - 2/L (Corollary 14)."""
    second = directions(made(LEFT, [3.0, 1.0], RIGHT), [2, 3, 6])[1]
    assert second.kept_below == [
        (2, pytest.approx(1 / 3)),
        (3, pytest.approx(3 ** (-4 / 3))),
        (6, pytest.approx(3 ** (-5 / 3))),
    ]


def test_directions_that_share_a_singular_value_are_not_named() -> None:
    shared, also, alone = directions(made(LEFT, [2.0, 2.0, 1.0], RIGHT), [2])
    assert (shared.alone, also.alone, alone.alone) == (False, False, True)
    assert shared.rows == also.columns == []
    assert [name for name, _ in alone.rows] == ["c"]


def test_a_target_without_labels_has_no_directions() -> None:
    assert directions(TargetMatrix("t", "t", "gaussian", "f", np.eye(2)), [2]) == []


def test_data_without_names_are_named_by_number_and_have_their_lambda() -> None:
    """lambda_c of depth 2 is sigma itself (Corollary 14)."""
    first, second = directions(TargetMatrix("t", "t", "file", "f", np.diag([1.0, 4.0]), origin="m.csv"), [2, 3])
    assert [name for name, _ in first.rows] == ["row 2"]
    assert [name for name, _ in second.columns] == ["column 1"]
    assert [first.below[0], second.below[0]] == pytest.approx([4, 1])
    # (1 / (L - 2)) ((L - 2) sigma / (L - 1))^(2 (L - 1) / L) at L = 3
    assert first.below[1] == pytest.approx(2 ** (4 / 3))


def test_data_come_before_the_verdicts_and_other_targets_have_no_such_section(build: Callable[..., str]) -> None:
    page = build(targets=[TargetMatrix("square", "x", "file", "f", np.diag([3.0, 1.0]), origin="m.csv")])
    assert page.index('<section id="own"') < page.index('<section id="verdicts"')
    assert 'href="#own"' in page[: page.index("<main>")]
    assert 'id="own"' not in build()


def test_names_from_files_do_no_harm(build: Callable[..., str]) -> None:
    size = len(HOSTILE)
    values = np.diag(np.arange(size, 0, -1.0))
    quiet, loud = (
        TargetMatrix("square", names[0], "file", "f", values, tuple(names), tuple(names[::-1]), names[1], names[2])
        for names in ([f"name {i}" for i in range(size)], HOSTILE)
    )
    harmless, page = Tags(build(targets=[quiet])), Tags(build(targets=[loud]))
    # The same elements with the same kinds of attributes: nothing became markup.
    assert [(tag, sorted(attributes)) for tag, attributes in page.found] == [
        (tag, sorted(attributes)) for tag, attributes in harmless.found
    ]
    for name in [*HOSTILE[:4], *HOSTILE[-4:]]:  # those among the four leading rows and columns
        assert name in page.text
    links = [attributes["href"] or "" for tag, attributes in page.found if tag == "a"]
    assert not [link for link in links if link.strip().lower().startswith(("javascript:", "data:"))]


def test_origin_and_standardisation_are_shown(build: Callable[..., str]) -> None:
    target = TargetMatrix("square", "x", "file", "f", np.eye(2), (), (), "m.csv, SHA-256 0123", "rows centred")
    page = Tags(build(targets=[target])).text
    assert "m.csv, SHA-256 0123" in page
    assert "rows centred" in page
