"""How much more or less a machine takes than `dmf.grid.cost` predicts, by rule: `dmf costs` measures it.

The file is beside the data of all grids. It changes what is asked of a queue, and nothing that a job makes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from dmf.errors import UserError, printable, shown

FILE = "data/costs.json"
MOST = 1000.0  # beyond it a file was written by hand, and by mistake
Number = Annotated[float, Field(gt=0, le=MOST, allow_inf_nan=False)]


class Factor(BaseModel):
    """By what the predicted seconds and memory of a rule's jobs are multiplied; dimensionless."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    seconds: Number = 1.0
    memory: Number = 1.0


Factors = dict[str, Factor]
_FACTORS = TypeAdapter(Factors)


def of(factors: Factors, rule: str) -> Factor:
    """The factors of a rule; 1 of one that was not measured."""
    return factors.get(rule, Factor())


def read_factors(path: Path) -> Factors:
    """What the file says; nothing where there is none. Raises UserError where it is damaged."""
    try:
        return _FACTORS.validate_json(path.read_bytes())
    except FileNotFoundError:
        return {}
    except OSError as error:
        what = error.strerror or str(error)
    except ValidationError as error:
        first = error.errors()[0]
        what = f"{'.'.join(map(str, first['loc'])) or 'the file'}: {first['msg']}, got {shown(first['input'])}"
    raise UserError(
        f"{printable(str(path))}: {what}; expected a mapping from rules to seconds and memory, each above 0 and up to "
        f"{MOST:g}; write it again with dmf costs --write, or remove it"
    )


def factors_text(factors: Factors) -> str:
    """The content of the file."""
    return _FACTORS.dump_json(factors, indent=2).decode() + "\n"
