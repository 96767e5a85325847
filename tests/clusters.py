"""What private clusters of tests share: daemons that live as long as a `with` block, on this machine or on hosts of it.

A host is three namespaces: network, name and mounts. Hosts share one folder and a network that leads nowhere, not /tmp.
"""

from __future__ import annotations

import shutil
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from harness import ROOT

HOST = Path(__file__).with_name("host.sh")
MASTER = "master"
ADDRESSES = {MASTER: "10.9.8.1", "node1": "10.9.8.2", "node2": "10.9.8.3"}
NODES = [name for name in ADDRESSES if name != MASTER]
HOSTS_NEED = ("ip", "nsenter", "unshare", "setpriv")


def no_hosts() -> str:
    """Why hosts cannot be had here; empty where they can."""
    if absent := [name for name in HOSTS_NEED if shutil.which(name) is None]:
        return f"not installed: {', '.join(absent)}"
    if subprocess.run(["unshare", "--net", "--uts", "--mount", "true"], capture_output=True).returncode:
        return "no namespaces may be made here"
    return ""


class Cluster(ABC):
    """Daemons that run in a `with` block. Raises RuntimeError if one does not start."""

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stop()

    @abstractmethod
    def _start(self) -> None: ...

    @abstractmethod
    def _stop(self) -> None: ...

    @abstractmethod
    def log(self) -> str:
        """What the daemons have to say, for a failure's message."""


class Hosts(Cluster):
    """A cluster of a master and two nodes. `shared` is the folder that all see, `state` the files of the daemons."""

    def __init__(self, shared: Path, state: Path, environment: Mapping[str, str]) -> None:
        self.shared, self.state, self.environment = shared, state, dict(environment)
        self.hosts: dict[str, subprocess.Popen[str]] = {}

    def on(self, host: str, *command: str) -> list[str]:
        """The command as it runs on a host."""
        there = ["--target", str(self.hosts[host].pid), "--net", "--uts", "--mount", f"--wdns={self.shared}"]
        return ["nsenter", *there, "--", *command]

    def ask(self, *command: str, host: str = MASTER) -> str:
        """Output of a command on a host. Raises RuntimeError with what it said where it fails."""
        result = subprocess.run(
            self.on(host, *command), capture_output=True, text=True, timeout=60, env=self.environment, cwd=self.shared
        )
        if result.returncode:
            raise RuntimeError(f"{' '.join(command)}: {result.stdout}{result.stderr}")
        return result.stdout

    def answers(self, *command: str) -> bool:
        """Whether a command on the master succeeds."""
        return subprocess.run(self.on(MASTER, *command), capture_output=True, env=self.environment).returncode == 0

    def start_hosts(self, binds: Callable[[str], Mapping[Path, str]]) -> None:
        """Start all hosts and their network; `binds` gives what a host sees in place of which paths."""
        self.state.chmod(0o755)
        names = self.state / "hosts"
        names.write_text("127.0.0.1 localhost\n" + "".join(f"{at} {name}\n" for name, at in ADDRESSES.items()))
        for name in ADDRESSES:
            pairs = [str(path) for pair in {names: "/etc/hosts", **binds(name)}.items() for path in pair]
            command = ["unshare", "--net", "--uts", "--mount", "--propagation", "private", str(HOST)]
            command += [name, str(self.shared), str(ROOT), *pairs]
            # A host dies with the tests, even where they are killed; then its daemons lose their network.
            self.hosts[name] = host = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "--", *command],
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True,
            )  # fmt: skip
            assert host.stdout is not None
            if (said := host.stdout.readline().strip()) != "ready":
                raise RuntimeError(f"host {name}: {said}")
        self._network()

    def stop_hosts(self) -> None:
        """Wait until the daemons have ended, then end the hosts and remove the daemons' files."""
        until(lambda: not self._daemons(), "the daemons end", self)
        for host in self.hosts.values():
            host.terminate()
            host.communicate(timeout=30)
        shutil.rmtree(self.state)

    def _network(self) -> None:
        """A bridge on the master, with a cable from it to every node. Nothing leads outside."""
        self.ask("ip", "link", "add", "bridge", "type", "bridge")
        self.ask("ip", "addr", "add", f"{ADDRESSES[MASTER]}/24", "dev", "bridge")
        self.ask("ip", "link", "set", "bridge", "up")
        for node in NODES:
            there = str(self.hosts[node].pid)
            self.ask("ip", "link", "add", node, "type", "veth", "peer", "name", "cable", "netns", there)
            self.ask("ip", "link", "set", node, "master", "bridge", "up")
            self.ask("ip", "addr", "add", f"{ADDRESSES[node]}/24", "dev", "cable", host=node)
            self.ask("ip", "link", "set", "cable", "up", host=node)

    def _daemons(self) -> Sequence[int]:
        """Processes in the namespaces of the hosts, but for those that hold them."""
        own = {host.pid for host in self.hosts.values()}
        nets = {Path(f"/proc/{pid}/ns/net").readlink() for pid in own if Path(f"/proc/{pid}").exists()}
        found = []
        for path in Path("/proc").glob("[0-9]*/ns/net"):
            try:
                if path.readlink() in nets and int(path.parts[2]) not in own:
                    found.append(int(path.parts[2]))
            except OSError:  # ended meanwhile
                continue
        return found


def until(condition: Callable[[], bool], what: str, cluster: Cluster, seconds: float = 180) -> None:
    """Wait for a condition. Raises RuntimeError, with the daemons' logs, where it does not come true in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise RuntimeError(f"waited {seconds:.0f} s until {what}\n{cluster.log()}")
        time.sleep(0.05)
