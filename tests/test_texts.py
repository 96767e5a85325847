"""A stranger's text is shown as one line: no escape, no change of direction, not a megabyte."""

import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest

from dmf.cli.main import main
from dmf.errors import LONGEST_LINE, LONGEST_NAME, UserError, printable, shown
from dmf.grid.limits import HIDDEN
from dmf.grid.user_files import read_yaml
from harness import ENVIRONMENT

VISIBLE_SIGNS = {*map(chr, range(0x600, 0x606)), "\u06dd", "\u0890", "\u0891", "\u08e2"}  # format characters, but drawn
CALL = "import sys; from dmf.cli.main import main; sys.exit(main())"
FORGED = [
    "\x1b[2J\x1b[31mall confirmed",
    "a\nVERDICT: confirmed",
    "a\rb",
    "a\u2028b\u2029c\x85d",
    "\u200e\u200f\u061c\u202a\u202b\u202d\u202e\u202c\u2066\u2067\u2068\u2069",
    "zero\u200bwidth\u200c\u200d\u2060\ufeff\xad",
    "\U000e0041\U000e0042",
    "\ud800",
    "\x9b31m",
    "\x08" * 30,
]


def test_every_character_without_a_shape_is_hidden() -> None:
    for character in map(chr, range(sys.maxunicode + 1)):
        formal = unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp") and character not in VISIBLE_SIGNS
        assert bool(HIDDEN.match(character)) >= formal, hex(ord(character))
        if unicodedata.category(character)[0] in "LNPS":
            assert not HIDDEN.match(character), hex(ord(character))


@pytest.mark.parametrize("text", [*FORGED, *(text * 100_000 for text in FORGED)], ids=lambda text: repr(text[:8]))
def test_an_error_is_one_printable_line_of_bounded_length(text: str) -> None:
    for message in (str(UserError(f"grid.yaml: {text}: do this")), shown(text), shown(text, quoted=True)):
        assert message.isprintable()
        assert len(message.splitlines()) == 1
        assert len(message) <= LONGEST_LINE
    assert len(shown(text)) <= LONGEST_NAME + 2
    assert str(UserError(f"grid.yaml: {text}: do this")).endswith(": do this")


def test_what_is_cut_keeps_its_ends() -> None:
    assert printable("abcdefghij", 7) == "abcd…ij"
    assert printable("abcdefg", 7) == "abcdefg"


def test_a_plain_name_stands_as_it_is_and_others_in_quotes() -> None:
    assert shown("a/b_1.x-y") == "a/b_1.x-y"
    assert shown("gélè") == "gélè"
    assert shown("") == "''"
    assert shown("a, b; verified") == "'a, b; verified'"
    assert shown("it's: fine") == r"'it\'s: fine'"


@pytest.mark.parametrize(
    ("text", "key", "lines"),
    [
        ("grid: a\ngrid: b", "grid", (2, 1)),
        ("lambdas:\n  relative: [1]\n  absolute: [2]\n  relative: [3]", "relative", (4, 2)),
        ("targets:\n- {name: a,\n   name: b}", "name", (3, 2)),
        ("'seed': 1\nseed: 2", "seed", (2, 1)),
        ("!!str seed: 1\nseed: 2", "seed", (2, 1)),
        ("a: &a {x: 1}\nb:\n  <<: *a\n  <<: *a", "'<<'", (4, 3)),
    ],
)
def test_a_key_given_twice_is_refused(in_tmp: Path, text: str, key: str, lines: tuple[int, int]) -> None:
    Path("x.yaml").write_text(text)
    with pytest.raises(UserError) as caught:
        read_yaml("x.yaml")
    assert str(caught.value) == (
        f"x.yaml: line {lines[0]}: key {key} is given twice, first in line {lines[1]}; keep one of them"
    )


def test_an_alias_is_no_key_and_overriding_a_merged_key_is_not_giving_it_twice(in_tmp: Path) -> None:
    Path("x.yaml").write_text("a: &k grid\n*k : 1")
    with pytest.raises(UserError, match=r"^x\.yaml: line 2: \*k stands for a key; write the key out$"):
        read_yaml("x.yaml")
    Path("x.yaml").write_text("a: &a {x: 1, y: 2}\nb: {<<: *a, x: 3}")
    assert read_yaml("x.yaml")["b"] == {"x": 3, "y": 2}


@pytest.mark.parametrize("name", ["ratings[final].csv", "[red]m.csv", "a:smile:.csv", "x[link=y].csv", "[b].csv"])
def test_brackets_and_colons_in_a_file_name_are_shown_as_they_are(
    in_tmp: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path(name).write_text("1,2\n3,4\n")
    assert main(["predict", name, "--depth", "3", "--lam", "0.1"]) == 0
    assert capsys.readouterr().out.startswith(f"{name}, 2 × 2: ")


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1"])
@pytest.mark.parametrize("words", [["explain", "collapse"], ["predict", "m.csv", "--depth", "3", "--lam", "0.1"]])
def test_a_terminal_that_lacks_letters_gets_their_escapes(in_tmp: Path, encoding: str, words: list[str]) -> None:
    Path("m.csv").write_text("1,2\n3,4\n")
    done = subprocess.run(
        [sys.executable, "-c", CALL, *words], capture_output=True, env={**ENVIRONMENT, "PYTHONIOENCODING": encoding}
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert rb"\u03bb" in done.stdout
