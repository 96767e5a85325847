"""The transcript in docs/denoise.md is what a terminal of 88 columns prints."""

import re
from pathlib import Path

import numpy as np
import pytest

from dmf.cli.main import main

PAGE = Path(__file__).parents[2] / "docs" / "denoise.md"


def plants() -> str:
    """A block of plants and sites, a weaker direction, and noise of standard deviation 0.8."""
    rng = np.random.default_rng(1)
    block = np.zeros((40, 25))
    block[:8, 3:9] = 2.2
    seen = (
        block + 0.5 * np.outer(rng.standard_normal(40), rng.standard_normal(25)) + 0.8 * rng.standard_normal((40, 25))
    )
    lines = [",".join(["", *(f"site{j}" for j in range(25))])]
    lines += [",".join([f"plant{i}", *(f"{one:.3f}" for one in row)]) for i, row in enumerate(seen)]
    return "\n".join(lines) + "\n"


def test_the_transcript_is_what_is_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "88")
    Path("plants.csv").write_text(plants())
    (block,) = re.findall(r"^```text\n\$ dmf (denoise plants\.csv)\n(.*?)^```$", PAGE.read_text(), flags=re.M | re.S)
    assert main(block[0].split()) == 0
    assert [line.rstrip() for line in capsys.readouterr().out.splitlines()] == block[1].splitlines()
