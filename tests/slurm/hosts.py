"""A private Slurm of three hosts in separate namespaces: a controller, where runs start, and two nodes."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from clusters import ADDRESSES, MASTER, NODES, Hosts, no_hosts, until
from slurm.cluster import CONFIGURATION, not_installed

INSIDE = "/tmp/slurm"  # where each host has the files of its daemons
NODE = "NodeName={name} NodeAddr={address} CPUs=2 RealMemory=4000\n"
PARTITION = "MinJobAge=3600\nPartitionName=main Nodes={nodes} Default=YES MaxTime=60\n"  # it remembers every job


def missing() -> str:
    """Why there can be no such cluster here; empty where there can."""
    return not_installed() or no_hosts()


class SlurmHosts(Hosts):
    """Daemons, hosts and files of one private cluster, in its `with` block. Raises RuntimeError if it does not start.

    Jobs see the machine's files outside of /tmp, and of those in it `shared` and the checkout.
    """

    def __init__(self, shared: Path) -> None:
        super().__init__(shared, Path(tempfile.mkdtemp(prefix="dmf-slurm-hosts-")), os.environ)
        self.daemons: list[subprocess.Popen[bytes]] = []

    def workers(self) -> set[str]:
        """The nodes on which jobs ran that the controller remembers."""
        return set(self.ask("squeue", "--states=all", "--noheader", "--format=%N").split())

    @contextmanager
    def late(self, folder: Path, looked: Callable[[], bool], seconds: float) -> Iterator[dict[str, float]]:
        """Inside, the controller sees files that jobs write in a folder so many seconds after it looked for them.

        As where a network file system caches what a folder holds. Yields the seconds that each file took from the look.
        """
        early = self.shared / f"early-{len(list(self.shared.glob('early-*')))}"
        for one in (early, folder):
            one.mkdir(parents=True)
        for node in NODES:
            self.ask("mount", "--bind", str(early), str(folder), host=node)
        took: dict[str, float] = {}
        ended = threading.Event()

        def carry() -> None:
            while not ended.wait(0.1) and not looked():
                continue
            since = time.monotonic()
            while not ended.wait(0.1):
                late = time.monotonic() - since
                for file in early.glob("[!.]*.nc"):
                    if late >= seconds and file.name not in took:
                        shutil.copy2(file, folder / f".{file.name}")
                        (folder / f".{file.name}").rename(folder / file.name)
                        took[file.name] = late

        carrier = threading.Thread(target=carry, daemon=True)
        carrier.start()
        try:
            yield took
        finally:
            ended.set()
            carrier.join()

    def log(self) -> str:
        """What the daemons have to say, for a failure's message."""
        return "".join(f"== {path}\n{path.read_text()[-3000:]}" for path in sorted(self.state.glob("*/*.log")))

    def _start(self) -> None:
        key = os.urandom(128)
        for host in ADDRESSES:
            for name in ("state", f"spool-{host}"):
                (self.state / host / name).mkdir(parents=True)
            (self.state / host / "munge.key").write_bytes(key)
            (self.state / host / "munge.key").chmod(0o600)
        (self.state / "etc").mkdir()
        controller = f"{MASTER}({ADDRESSES[MASTER]})"
        general = CONFIGURATION.format(name=self.state.name, folder=INSIDE, controller=controller)
        nodes = [NODE.format(name=name, address=ADDRESSES[name]) for name in NODES]
        text = general + "".join(nodes) + PARTITION.format(nodes=",".join(NODES))
        (self.state / "etc/slurm.conf").write_text(text)
        self.start_hosts(lambda host: {self.state / "etc": "/etc/slurm", self.state / host: INSIDE})
        for host in ADDRESSES:
            names = {"key-file": "key", "socket": "socket", "pid-file": "pid", "log-file": "log", "seed-file": "seed"}
            options = [f"--{option}={INSIDE}/munge.{name}" for option, name in names.items()]
            self._daemon(host, "munged", "--foreground", *options)
        for host in ADDRESSES:
            socket = self.state / host / "munge.socket"
            until(socket.exists, f"munged of {host} opens its socket", self)
        self._daemon(MASTER, "slurmctld", "-D", "-c")
        for node in NODES:
            self._daemon(node, "slurmd", "-D", "-N", node)
        until(self._idle, "all nodes are idle", self)

    def _idle(self) -> bool:
        states = ["sinfo", "--noheader", "--Node", "--format=%T"]
        return self.answers("sinfo") and self.ask(*states).split() == ["idle"] * len(NODES)

    def _daemon(self, host: str, *command: str) -> None:
        words = ["setpriv", "--pdeathsig", "TERM", "--", *self.on(host, *command)]
        quiet = subprocess.DEVNULL
        self.daemons.append(subprocess.Popen(words, stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True))

    def _stop(self) -> None:
        if MASTER in self.hosts and self.answers("scancel", "--user=root"):
            until(lambda: not self.ask("squeue", "--noheader").strip(), "the last jobs are gone", self)
        for daemon in reversed(self.daemons):
            daemon.terminate()
        for daemon in self.daemons:
            daemon.wait(timeout=30)
        self.stop_hosts()
