"""A reader in a separate process answers as it would here; what happens to it there is reported in one line."""

import sys
from pathlib import Path

import numpy as np
import pytest

from dmf.errors import UserError
from dmf.grid.readers import _isolated, mat
from dmf.grid.readers._contract import Options
from files import MATRIX, netcdf
from files import mat as mat_file

ANY = Options()


def test_values_and_labels_come_back_to_the_last_bit(tmp_path: Path) -> None:
    content = netcdf({"m": MATRIX}, {"m_0": ["é", "b"]}, draft=str(tmp_path / "draft.nc"))
    found = _isolated.read_isolated("dmf.grid.readers.netcdf", content, ".nc", Options("m"))
    np.testing.assert_array_equal(found.values, MATRIX)
    assert (found.rows, found.columns) == (("é", "b"), ())


def test_a_refusal_comes_back_as_one() -> None:
    with pytest.raises(UserError, match=r"^has no variable 'n'; it has m$"):
        _isolated.read_isolated(mat.__name__, mat_file(m=MATRIX), ".mat", Options("n"))


HARMFUL = {
    "os.kill(os.getpid(), 6)": "its reader crashed: SIGABRT",
    "sys.exit(3)": "its reader crashed: exit code 3",
    "np.ones(10**9)": f"it would take more than {_isolated.MAX_MEMORY} bytes of memory",
    "1 / 0": "division by zero",
    "time.sleep(100)": "its reader did not come back within 1 s",
}


@pytest.mark.parametrize("act", HARMFUL)
def test_whatever_a_reader_does_is_told(act: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = f"import os, sys, time\nimport numpy as np\ndef read(content, suffix, options):\n    {act}\n"
    (tmp_path / "harmful.py").write_text(source)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.setattr(_isolated, "MAX_SECONDS", 1 if "sleep" in act else 120)
    with pytest.raises(RuntimeError) as caught:
        _isolated.read_isolated("harmful", b"", ".x", ANY)
    assert str(caught.value) == HARMFUL[act]
