"""A lock keeps others out of one place only, and is gone with its process."""

import errno
import fcntl
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from dmf.dataset.locks import alone, hold
from dmf.dataset.schema import DataError
from dmf.errors import UserError

HOLDER = """
import sys
from pathlib import Path
from dmf.dataset.locks import alone, hold
held = hold(Path(sys.argv[1]))
with alone(Path(sys.argv[1], "one.lock")):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_lock_keeps_others_out_until_its_process_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(UserError, match=rf"{tmp_path}: process {holder.pid} on \S+ is running this grid"):
            hold(tmp_path)
        with (tmp_path / "one.lock").open("a") as file, pytest.raises(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with alone(tmp_path / "another.lock"):  # another place is free
            pass
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    with alone(tmp_path / "one.lock"), hold(tmp_path):  # the files that it left hold nobody up
        pass


def test_a_file_system_without_locks_lets_everyone_in_and_keeps_no_mark(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_locks(*_: int) -> None:
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr("fcntl.flock", no_locks)
    first, second = hold(tmp_path), hold(tmp_path)
    assert not first.is_locked
    assert not second.is_locked
    with alone(tmp_path / "one.lock"), alone(tmp_path / "one.lock"):
        pass


def test_a_lock_that_cannot_be_written_is_one_line_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    expected = rf"^{tmp_path}/file/one.lock: cannot be written \(.*bytes are free there\)"
    with pytest.raises(DataError, match=expected), alone(tmp_path / "file" / "one.lock"):
        pass
    (tmp_path / ".lock").mkdir()
    with pytest.raises(DataError, match=rf"^{tmp_path}: cannot be written \(Is a directory"):
        hold(tmp_path)
