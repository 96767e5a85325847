"""A lock keeps others out of one place only, and is gone with its process."""

import fcntl
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from dmf.dataset.locks import alone, hold
from dmf.errors import UserError

PLACE = 2**48 - 1
HOLDER = """
import sys
from pathlib import Path
from dmf.dataset.locks import alone, hold
held = hold(Path(sys.argv[1]))
with alone(Path(sys.argv[1], "places"), int(sys.argv[2])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_lock_keeps_others_out_until_its_process_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLDER, str(tmp_path), str(PLACE)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(UserError, match=rf"{tmp_path}: process {holder.pid} on \S+ is running this grid"):
            hold(tmp_path)
        with (tmp_path / "places").open("a") as file, pytest.raises(BlockingIOError):
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, PLACE)
        with alone(tmp_path / "places", PLACE - 1):  # another place is free
            pass
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    with alone(tmp_path / "places", PLACE), hold(tmp_path):
        pass
