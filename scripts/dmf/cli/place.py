"""Where these rules stand in Snakemake: in the main Snakefile, or as a module in somebody else's.

A module shares the process, the names of rules and the working directory with rules that are not ours. All that depends
on this is asked here. `workflow` is Snakemake's object of that name, while it reads our rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dmf.errors import UserError, shown

TOPS = ("data", "reports")  # folders that rules write


class Place:
    """What Snakemake makes of the names in our rules."""

    def __init__(self, workflow: Any) -> None:
        """Take note of the module that is being read, if any."""
        self._workflow, self._modifier = workflow, workflow.modifier

    @property
    def main(self) -> bool:
        """Whether no other Snakefile uses these rules."""
        return bool(self._modifier.is_main_snakefile())

    @property
    def own_config(self) -> bool:
        """Whether the configuration is that of the call: a module may be given another one."""
        return self.main or self._modifier.globals["config"] is self._workflow.modifier_stack[0].globals["config"]

    @property
    def given(self) -> Mapping[str, Any]:
        """What the command line says of the configuration, as text."""
        return dict(self._workflow.config_settings.config) if self.own_config else {}

    @property
    def needs_file(self) -> bool:
        """Whether the configuration is to be read from the default file where it names no grid."""
        return not self._modifier.skip_configfile

    @property
    def source(self) -> str:
        """What to name in a complaint about the configuration: its file, --config, or the module."""
        if not self.own_config:
            return f"module {self._modifier.namespace}: config"
        return str(self._workflow.configfiles[-1] if self._workflow.configfiles else "--config")

    def root(self) -> str:
        """The module's prefix, with that of modules around it, "" for none. Raises UserError for `replace_prefix`."""
        placed = [str(self._modifier.path_modifier.replace_prefix(f"{top}/x")) for top in TOPS]
        first, *others = {path.removesuffix(f"{top}/x") for path, top in zip(placed, TOPS, strict=True)}
        if others:
            raise UserError(
                f"module {self._modifier.namespace}: replace_prefix: got {shown(placed[0])} and {shown(placed[1])} for "
                f"files of {' and '.join(TOPS)}, expected both in one folder; give that folder as prefix"
            )
        return first

    def goal(self, rule: str) -> str:
        """The name that a rule of ours has here."""
        return str(self._modifier.modify_rulename(rule))

    def owns(self, rule: Any) -> bool:
        """Whether one of Snakemake's rules is ours."""
        return rule.module_globals is self._modifier.globals
