"""What a grid wants of known names."""

import pytest

from dmf.errors import UserError
from dmf.grid.choice import chosen


def test_all_some_or_none_in_the_order_they_are_known() -> None:
    assert chosen("studies", "all", ["b", "a"], "x.yaml") == ["b", "a"]
    assert chosen("studies", ["a", "b"], ["b", "a", "c"], "x.yaml") == ["b", "a"]
    assert chosen("studies", [], ["a"], "x.yaml") == []


def test_a_name_that_is_not_known_is_refused_with_those_that_are() -> None:
    with pytest.raises(UserError, match=r"^x\.yaml: figures: got 'c', expected all or names out of a, b$"):
        chosen("figures", ["a", "c"], ["a", "b"], "x.yaml")
