"""`dmf audit --page` and `dmf audit-sweep --page`: one file that loads nothing and escapes names."""

import re
from pathlib import Path

import numpy as np
import pytest

from dmf.cli.main import main
from dmf.theory.adapter import balanced_pair
from html_reader import Reader

RNG = np.random.default_rng(0)


def cells(page: str) -> list[list[str]]:
    rows = re.findall(r"<tr><th scope=\"row\">(.*?)</tr>", page)
    return [re.split(r"</t[hd]>(?:<td(?: class=\"n\")?>)?", row)[:-1] for row in rows]


def whole(name: str) -> str:
    page = Path(name).read_text()
    assert "Content-Security-Policy" in page
    assert not re.search(r"(src|href)=\"(?!data:|#)", page)
    assert "<script" not in page
    read = Reader(page)
    assert (read.unbalanced, read.open) == ([], [])
    return page


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_the_page_of_an_audit_has_every_pair_and_control(capsys):
    b, a = 3 * RNG.standard_normal((5, 2)), 0.1 * RNG.standard_normal((2, 4))
    even, flat = balanced_pair(b, a)
    names = {"uneven<b>": (b, a), "even": (even, flat)}
    np.savez(
        "p.npz", **{f"{n}.lora_{k}.weight": x for n, pair in names.items() for k, x in zip("BA", pair, strict=True)}
    )
    assert main(["audit", "p.npz", "--page", "p.html"]) == 0
    page = whole("p.html")
    uneven, balanced = cells(page)
    assert (uneven[0], balanced[0]) == ("uneven&lt;b&gt;", "even")
    assert float(uneven[4]) > 0.9
    assert float(balanced[4]) < 1e-12
    assert float(balanced[5]) < 1e-12
    assert "AdamW" in page
    assert "Gradient" not in page
    assert page.count("data:image/png") == 1
    assert "uneven" in capsys.readouterr().out


def test_the_page_of_an_audit_says_what_a_gradient_says():
    target = np.diag([4.0, 3.0, 0.5])
    lam = 1.0
    b = np.diag(np.sqrt([3.0, 2.0, 0.0]))[:, :2]
    np.savez("p.npz", B=b, A=b.T)
    np.savez("g.npz", BA=2 * (b @ b.T - target))
    call = ["audit", "p.npz", "--pair", "B", "A", "--lam", str(lam), "--gradient", "g.npz", "--page", "p.html"]
    assert main(call) == 0
    page = whole("p.html")
    assert "The rank: suffices in 1." in page
    assert cells(page)[0][-2:] == ["1", "suffices"]
    np.savez("g.npz", BA=2 * (b @ b.T - target - np.diag([0.0, 0.0, 3.0])))
    assert main(call) == 0
    assert cells(whole("p.html"))[0][-1] == "too low"


def test_the_page_of_a_sweep_has_every_run(capsys):
    Path("s.csv").write_text("lam,loss,norm_sq\n0.1,1,5\n0.1,2,4\n0.2,1.5,2\n")
    assert main(["audit-sweep", "s.csv", "--page", "s.html"]) == 0
    page = whole("s.html")
    assert "1 of 3 runs is provably no global minimizer" in page
    assert [(row[0], row[-1]) for row in cells(page)] == [("2", "no"), ("1", "perhaps"), ("3", "perhaps")]
    assert "1 of 3 runs are" in " ".join(capsys.readouterr().out.split())


def test_a_page_that_cannot_be_written_is_one_line(capsys):
    Path("s.csv").write_text("lam,loss,norm_sq\n0.1,1,5\n")
    assert main(["audit-sweep", "s.csv", "--page", "s.csv/x.html"]) == 1
    printed = capsys.readouterr()
    assert (printed.out, printed.err.count("\n")) == ("", 1)
