"""`dmf.verdicts`: the verdicts of a report as a table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dmf.dataset.manifest import recorded
from dmf.errors import UserError, printable
from dmf.report.folder import verdict_files
from dmf.report.proofs import read_proved
from dmf.report.verdicts import COLUMNS, read_verdicts, rows

if TYPE_CHECKING:
    import pandas as pd


def verdicts(folder: str | Path) -> pd.DataFrame:
    """The verdicts of a report's folder, such as reports/default: one row a claim, with the columns of verdicts.csv.

    The index is the claim. Statistic and margin are in units of what a run's certificate allows: 1 is the edge. Raises
    UserError for a folder without verdicts, and where a file is not what its job wrote, as `dmf verdicts` does.

    >>> import dmf
    >>> dmf.verdicts("reports/default")[["verdict", "control_detected"]]
                    verdict  control_detected
    claim
    balancedness  confirmed              True
    ...
    """
    import pandas as pd

    folder = Path(folder)
    with recorded(folder) as files:
        found = read_verdicts(verdict_files(folder, files))
        proved = read_proved(folder)
    if not found:
        raise UserError(
            f"{printable(str(folder))}: no verdicts here; expected a folder such as reports/default after a run"
        )
    return pd.DataFrame(rows(found, proved), columns=list(COLUMNS)).set_index("claim")
