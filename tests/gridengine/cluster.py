"""A private Grid Engine: a master and two hosts in separate namespaces, which share one folder and a network."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

ROOT = Path(__file__).parents[2]
PROGRAMS = ("sge_qmaster", "sge_execd", "qsub", "qstat", "qacct", "qconf", "ip", "nsenter", "unshare", "setpriv")
MASTER = "master"
ADDRESSES = {MASTER: "10.9.8.1", "node1": "10.9.8.2", "node2": "10.9.8.3"}
NODES = [name for name in ADDRESSES if name != MASTER]
SLOTS = 2
HOST = Path(__file__).with_name("host.sh")
DEFAULTS = Path("/usr/share/gridengine/default-configuration")
# Root's jobs run, and a job's first line does not choose its shell.
CONFIGURATION = {
    "min_uid": "0",
    "min_gid": "0",
    "reporting_params": "accounting=true reporting=false flush_time=00:00:01 \
joblog=false sharelog=00:00:00",
}
SCHEDULER = {"schedule_interval": "0:0:1", "flush_submit_sec": "1", "flush_finish_sec": "1"}
PARALLEL = """\
pe_name smp
slots 999
user_lists NONE
xuser_lists NONE
start_proc_args NONE
stop_proc_args NONE
allocation_rule $pe_slots
control_slaves FALSE
job_is_first_task TRUE
urgency_slots min
accounting_summary FALSE
qsort_args NONE
"""


def missing() -> str:
    """Why a private cluster cannot be had here; empty where it can."""
    if absent := [name for name in PROGRAMS if shutil.which(name) is None]:
        return f"not installed: {', '.join(absent)}"
    if os.geteuid() != 0:
        return "its daemons start jobs for their users, which takes root"
    if subprocess.run(["unshare", "--net", "--uts", "--mount", "true"], capture_output=True).returncode:
        return "no namespaces may be made here"
    return ""


@dataclass
class Cluster:
    """Daemons, hosts and files of one private cluster, in its `with` block. Raises RuntimeError if it does not start.

    Jobs see the machine's files outside of /tmp, and of those in it `shared` and the checkout.
    """

    shared: Path
    state: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="dmf-gridengine-")))
    hosts: dict[str, subprocess.Popen[str]] = field(default_factory=dict)

    def __enter__(self) -> Cluster:
        try:
            self._start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stop()

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

    @property
    def environment(self) -> dict[str, str]:
        """Of processes that talk to the cluster."""
        return {**os.environ, "SGE_ROOT": "/var/lib/gridengine", "SGE_CELL": "default", "OMP_NUM_THREADS": "1"}

    def _start(self) -> None:
        self.state.chmod(0o755)
        (self.state / "hosts").write_text(
            "127.0.0.1 localhost\n" + "".join(f"{address} {name}\n" for name, address in ADDRESSES.items())
        )
        (self.state / "configuration").write_text(_changed(DEFAULTS.read_text(), CONFIGURATION))
        for name in ("cell/common", *(f"spool-{host}/{part}" for host in ADDRESSES for part in ("qmaster", "execd"))):
            (self.state / name).mkdir(parents=True)
        (self.state / "cell/common/act_qmaster").write_text(f"{MASTER}\n")
        shutil.copy("/var/lib/gridengine/default/common/bootstrap", self.state / "cell/common/bootstrap")
        (self.state / f"spool-{MASTER}/spooldb").mkdir()
        (self.state / f"spool-{MASTER}/qmaster/job_scripts").mkdir()
        subprocess.run(["chown", "--recursive", "sgeadmin:sgeadmin", str(self.state)], check=True)
        for host in ADDRESSES:
            self._host(host)
        self._network()
        cell = ["/var/lib/gridengine", "default", "/var/spool/gridengine/spooldb", "sgeadmin"]
        self._as_admin("/usr/share/gridengine/scripts/init_cluster", *cell)
        self._as_admin("/usr/sbin/sge_qmaster")
        until(lambda: self._answers("qconf", "-sm"), "the master answers", self)
        for host in NODES:
            self._file(
                "-Ae",
                f"hostname {host}\nload_scaling NONE\ncomplex_values h_vmem=20G\nuser_lists NONE\n"
                "xuser_lists NONE\nprojects NONE\nxprojects NONE\nusage_scaling NONE\nreport_variables NONE\n",
            )
        self.ask("qconf", "-as", MASTER)
        self._file("-Ahgrp", f"group_name @allhosts\nhostlist {' '.join(NODES)}\n")
        self._file("-Ap", PARALLEL)
        self._file("-Msconf", _changed(self.ask("qconf", "-ssconf"), SCHEDULER))
        template = self._template()
        self._file("-Aq", template)
        for host in NODES:
            self.ask("/usr/sbin/sge_execd", host=host)
        until(self._idle, "all hosts are idle", self)

    def _template(self) -> str:
        """An all.q of SLOTS a host, from the defaults that qconf gives a new queue."""
        text = subprocess.run(
            self.on(MASTER, "qconf", "-aq", "all.q"),
            capture_output=True,
            text=True,
            env=self.environment | {"EDITOR": "cat"},
        ).stdout
        wanted = {
            "qname": "all.q",
            "hostlist": "@allhosts",
            "pe_list": "smp",
            "slots": str(SLOTS),
            "shell": "/bin/sh",
            "shell_start_mode": "unix_behavior",
            "load_thresholds": "NONE",
        }
        return _changed("\n".join(line for line in text.splitlines() if " " in line), wanted)

    def _host(self, name: str) -> None:
        command = ["unshare", "--net", "--uts", "--mount", "--propagation", "private", str(HOST)]
        command += [name, str(self.state), str(self.shared), str(ROOT)]
        # A host dies with the tests, even where they are killed; with its last process its daemons lose their network.
        self.hosts[name] = host = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "--", *command],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        assert host.stdout is not None
        if (said := host.stdout.readline().strip()) != "ready":
            raise RuntimeError(f"host {name}: {said}")

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

    def _as_admin(self, *command: str) -> None:
        self.ask("setpriv", "--reuid", "sgeadmin", "--regid", "sgeadmin", "--clear-groups", "--", *command)

    def _file(self, option: str, text: str) -> None:
        file = self.shared / "settings"  # where the master's view has it
        file.write_text(text)
        self.ask("qconf", option, str(file))
        file.unlink()

    def _answers(self, *command: str) -> bool:
        return subprocess.run(self.on(MASTER, *command), capture_output=True, env=self.environment).returncode == 0

    def _idle(self) -> bool:
        lines = [line.split() for line in self.ask("qstat", "-f").splitlines() if line.startswith("all.q@")]
        return len(lines) == len(NODES) and all(len(line) == 5 for line in lines)  # a sixth column is a trouble

    def log(self) -> str:
        """What the daemons have to say, for a failure's message."""
        return "".join(f"== {path}\n{path.read_text()[-3000:]}" for path in sorted(self.state.glob("**/messages")))

    def _stop(self) -> None:
        for command in (("qdel", "-f", "-u", "*"), ("qconf", "-ke", "all"), ("qconf", "-km")):
            if MASTER in self.hosts:
                subprocess.run(self.on(MASTER, *command), capture_output=True, env=self.environment, timeout=60)
        until(lambda: not self._daemons(), "the daemons end", self)
        for host in self.hosts.values():
            host.terminate()
            host.communicate(timeout=30)
        shutil.rmtree(self.state)

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


def until(condition: Callable[[], bool], what: str, cluster: Cluster, seconds: float = 60) -> None:
    """Wait for a condition. Raises RuntimeError, with the daemons' logs, where it does not come true in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise RuntimeError(f"waited {seconds:.0f} s until {what}\n{cluster.log()}")
        time.sleep(0.1)


def _changed(text: str, values: dict[str, str]) -> str:
    """Lines of a name and a value, with other values for some."""
    lines = (line.split(maxsplit=1) for line in text.replace("\\\n", " ").splitlines() if line.strip())
    return "".join(f"{name} {values.get(name, value)}\n" for name, value in ((*line, "NONE")[:2] for line in lines))
