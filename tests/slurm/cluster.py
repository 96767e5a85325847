"""A private Slurm on loopback: controller and emulated nodes on this machine, started and stopped by a `with` block."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import clusters
from clusters import until

DAEMONS = ("munged", "slurmctld", "slurmd")
CLIENTS = ("sinfo", "squeue", "scontrol", "scancel", "sbatch", "srun")
# Processors of each node, by partition. A job takes one, so that no two jobs share a node of the second.
PARTITIONS = {"main": {"n1": 4}, "single": {"n2": 1, "n3": 1, "n4": 1}}
NODES = {node: count for nodes in PARTITIONS.values() for node, count in nodes.items()}
# Slurm's plugin for job steps drops SLURM_CONF from the environment, so a job finds its cluster only at this path.
SYSTEM_CONF = Path("/etc/slurm/slurm.conf")
# The daemons run as the caller, who must be root, with this process's own sockets.
CONFIGURATION = """\
ClusterName={name}
SlurmctldHost={controller}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
MailProg=/bin/true
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerParameters=sched_min_interval=0,bf_interval=5,batch_sched_delay=0
SlurmdParameters=config_overrides
EnforcePartLimits=ALL
ReturnToService=2
JobRequeue=0
KillWait=5
SlurmdTimeout=15
"""
LOOPBACK = "SlurmctldPort={port}\nCommunicationParameters=NoInAddrAny,NoCtldInAddrAny\n"
NODE = "NodeName={name} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs={count} RealMemory={memory}\n"
PARTITION = "PartitionName={name} Nodes={nodes} Default={default} MaxTime=60\n"


def not_installed() -> str:
    """Why no Slurm can be started here, whatever this machine's own is; empty where one can."""
    absent = [name for name in (*DAEMONS, *CLIENTS) if shutil.which(name) is None]
    if absent:
        return f"not installed: {', '.join(absent)}"
    return "its daemons start jobs for their users, which takes root" if os.geteuid() != 0 else ""


def missing() -> str:
    """Why a private cluster cannot be had here; empty where it can."""
    if reason := not_installed():
        return reason
    if SYSTEM_CONF.is_symlink() and _stale(SYSTEM_CONF.readlink()):
        return ""
    if SYSTEM_CONF.exists():
        return f"{SYSTEM_CONF} exists: this machine has a Slurm, which is left alone"
    return ""


@dataclass
class Cluster(clusters.Cluster):
    """Daemons and files of one private cluster, usable in its `with` block. Raises RuntimeError if none starts."""

    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="dmf-slurm-")))
    daemons: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    guard: subprocess.Popen[bytes] | None = None

    def ask(self, command: str, *arguments: str) -> str:
        """Output of a Slurm command."""
        return subprocess.run([command, *arguments], capture_output=True, text=True, check=True, timeout=60).stdout

    def states(self) -> dict[str, str]:
        """State of every job the controller remembers, by number."""
        return self._jobs("%T")

    def nodes(self) -> dict[str, str]:
        """Node of every job the controller remembers, by number."""
        return self._jobs("%N")

    def trains(self, tile: str) -> str:
        """Number of the newest job that the plugin submitted for a tile: it writes the tile into the comment."""
        return max((job for job, comment in self._jobs("%k").items() if comment.endswith(tile)), key=int)

    def processes(self, job: str | None = None) -> set[int]:
        """The processes of a job, or of all jobs, by the environment that Slurm gave them."""
        marks = {f"SLURM_CLUSTER_NAME={self.folder.name}".encode()}
        marks |= {f"SLURM_JOB_ID={job}".encode()} if job else set()
        found = set()
        for path in Path("/proc").glob("[0-9]*/environ"):
            try:
                if marks <= set(path.read_bytes().split(b"\0")):
                    found.add(int(path.parent.name))
            except OSError:  # ended meanwhile
                continue
        return found

    def freeze(self, job: str) -> None:
        """Stop all processes of a job where they are. Slurm believes it to be running, and its time runs out."""
        frozen: set[int] = set()
        while fresh := self.processes(job) - frozen:  # until none of them can have started another
            for process in fresh:
                os.kill(process, signal.SIGSTOP)
            frozen |= fresh

    def log(self) -> str:
        """What the daemons have to say, for a failure's message."""
        return "".join(f"== {path.name}\n{path.read_text()[-3000:]}" for path in sorted(self.folder.glob("*.log")))

    def start_node(self, name: str) -> None:
        """Start the daemon of a node."""
        self._daemon(name, "slurmd", "-D", "-f", str(self.folder / "slurm.conf"), "-N", name)

    def kill_node(self, name: str) -> None:
        """SIGKILL to the daemon of a node: nothing is cleaned up, its jobs' processes go on without it."""
        self.daemons[name].kill()
        self.daemons.pop(name).wait()

    def _jobs(self, column: str) -> dict[str, str]:
        lines = self.ask("squeue", "--states=all", "--noheader", f"--format=%i|{column}").splitlines()
        return dict(line.split("|", 1) for line in lines)

    def _start(self) -> None:
        self.folder.chmod(0o755)  # munge wants its socket within everyone's reach
        for name in ("state", *(f"spool-{node}" for node in NODES)):
            (self.folder / name).mkdir()
        key = self.folder / "munge.key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o600)
        conf = self.folder / "slurm.conf"
        conf.write_text(configuration(self.folder))
        if SYSTEM_CONF.is_symlink():  # left by tests that were killed: `missing` refuses any other
            shutil.rmtree(SYSTEM_CONF.readlink().parent, ignore_errors=True)
            SYSTEM_CONF.unlink()
        SYSTEM_CONF.symlink_to(conf)
        self.guard = guard(SYSTEM_CONF)
        files = {"key-file": key, "socket": "munge.socket", "pid-file": "munged.pid", "log-file": "munged.log"}
        options = [f"--{option}={self.folder / file}" for option, file in files.items()]
        self._daemon("munged", "munged", "--foreground", *options, f"--seed-file={self.folder / 'munge.seed'}")
        until(lambda: (self.folder / "munge.socket").exists(), "munged opens its socket", self)
        self._daemon("slurmctld", "slurmctld", "-D", "-c", "-f", str(conf))
        for name in NODES:
            self.start_node(name)
        until(self._idle, "all nodes are idle", self)

    def _idle(self) -> bool:
        answer = subprocess.run(["sinfo", "--noheader", "--Node", "--format=%T"], capture_output=True, text=True)
        return answer.stdout.split() == ["idle"] * len(NODES)

    def _daemon(self, name: str, *command: str) -> None:
        # A daemon dies with the tests, even where they are killed.
        words = ["setpriv", "--pdeathsig", "TERM", "--", *command]
        quiet = subprocess.DEVNULL
        self.daemons[name] = subprocess.Popen(words, stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True)

    def _stop(self) -> None:
        if "slurmctld" in self.daemons:
            subprocess.run(["scancel", "--signal=KILL", "--full", "--user=root"], capture_output=True, timeout=60)
            subprocess.run(["scancel", "--user=root"], capture_output=True, timeout=60)
            until(lambda: not self.ask("squeue", "--noheader").strip(), "the last jobs are gone", self)
        for process in self.processes():  # a node that was killed leaves some of its job's behind
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        for daemon in reversed(self.daemons.values()):
            daemon.terminate()
        for daemon in self.daemons.values():
            daemon.wait(timeout=30)
        if self.guard:
            self.guard.communicate()
        shutil.rmtree(self.folder)


def guard(link: Path) -> subprocess.Popen[bytes]:
    """A process that removes a link, unless it leads elsewhere by then, when this process closes its input or ends.

    A link left by tests that were killed would cost every later call of Snakemake ten seconds.
    """
    script = 'cat >/dev/null; [ "$(readlink "$1")" != "$2" ] || rm "$1"'
    command = ["sh", "-c", script, "guard", str(link), str(link.readlink())]
    return subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)


def configuration(folder: Path) -> str:
    """The text of slurm.conf for a cluster that keeps its files in `folder`, on ports that are free now."""
    port, *ports = _free_ports(1 + len(NODES))
    host = socket.gethostname()
    nodes = [
        NODE.format(name=name, host=host, port=own, count=count, memory=4000 * count)
        for (name, count), own in zip(NODES.items(), ports, strict=True)
    ]
    partitions = [
        PARTITION.format(name=name, nodes=",".join(members), default="YES" if name == "main" else "NO")
        for name, members in PARTITIONS.items()
    ]
    general = CONFIGURATION.format(name=folder.name, folder=folder, controller="localhost(127.0.0.1)")
    return general + LOOPBACK.format(port=port) + "".join(nodes + partitions)


def _free_ports(count: int) -> list[int]:
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [server.getsockname()[1] for server in held]
    for server in held:
        server.close()
    return ports


def _stale(conf: Path) -> bool:
    """Whether a link's target is one of these clusters and its controller is gone: its tests were killed."""
    if not conf.parent.name.startswith("dmf-slurm-"):
        return False
    try:
        pid = int((conf.parent / "slurmctld.pid").read_text())
        os.kill(pid, 0)
    except (OSError, ValueError):
        return True
    return False
