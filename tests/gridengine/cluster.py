"""A private Grid Engine: a master and two hosts in separate namespaces, which share one folder and a network."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from clusters import ADDRESSES, HOSTS_NEED, MASTER, NODES, Hosts, no_hosts, until

PROGRAMS = ("sge_qmaster", "sge_execd", "qsub", "qstat", "qacct", "qconf", *HOSTS_NEED)
SLOTS = 2
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
    return no_hosts()


class Cluster(Hosts):
    """Daemons, hosts and files of one private cluster, in its `with` block. Raises RuntimeError if it does not start.

    Jobs see the machine's files outside of /tmp, and of those in it `shared` and the checkout.
    """

    def __init__(self, shared: Path) -> None:
        root = {"SGE_ROOT": "/var/lib/gridengine", "SGE_CELL": "default", "OMP_NUM_THREADS": "1"}
        super().__init__(shared, Path(tempfile.mkdtemp(prefix="dmf-gridengine-")), {**os.environ, **root})

    def _start(self) -> None:
        (self.state / "configuration").write_text(_changed(DEFAULTS.read_text(), CONFIGURATION))
        for name in ("cell/common", *(f"spool-{host}/{part}" for host in ADDRESSES for part in ("qmaster", "execd"))):
            (self.state / name).mkdir(parents=True)
        (self.state / "cell/common/act_qmaster").write_text(f"{MASTER}\n")
        shutil.copy("/var/lib/gridengine/default/common/bootstrap", self.state / "cell/common/bootstrap")
        (self.state / f"spool-{MASTER}/spooldb").mkdir()
        (self.state / f"spool-{MASTER}/qmaster/job_scripts").mkdir()
        subprocess.run(["chown", "--recursive", "sgeadmin:sgeadmin", str(self.state)], check=True)
        self.start_hosts(
            lambda host: {
                self.state / "configuration": str(DEFAULTS),
                self.state / "cell": "/var/lib/gridengine/default",
                self.state / f"spool-{host}": "/var/spool/gridengine",
            }
        )
        cell = ["/var/lib/gridengine", "default", "/var/spool/gridengine/spooldb", "sgeadmin"]
        self._as_admin("/usr/share/gridengine/scripts/init_cluster", *cell)
        self._as_admin("/usr/sbin/sge_qmaster")
        until(lambda: self.answers("qconf", "-sm"), "the master answers", self)
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

    def _as_admin(self, *command: str) -> None:
        self.ask("setpriv", "--reuid", "sgeadmin", "--regid", "sgeadmin", "--clear-groups", "--", *command)

    def _file(self, option: str, text: str) -> None:
        file = self.shared / "settings"  # where the master's view has it
        file.write_text(text)
        self.ask("qconf", option, str(file))
        file.unlink()

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
        self.stop_hosts()


def _changed(text: str, values: dict[str, str]) -> str:
    """Lines of a name and a value, with other values for some."""
    lines = (line.split(maxsplit=1) for line in text.replace("\\\n", " ").splitlines() if line.strip())
    return "".join(f"{name} {values.get(name, value)}\n" for name, value in ((*line, "NONE")[:2] for line in lines))
