"""What a grid wants of things that are known by name."""

from __future__ import annotations

from collections.abc import Sequence

from dmf.errors import UserError


def chosen(key: str, wanted: str | Sequence[str], known: Sequence[str], source: str) -> list[str]:
    """Those of `known` that a grid wants under `key`, "all" or names. Raises UserError for a name that is none.

    `source` is the file to name in a complaint.
    """
    if isinstance(wanted, str):
        return list(known)
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise UserError(f"{source}: {key}: got {unknown[0]!r}, expected all or names out of {', '.join(known)}")
    return [name for name in known if name in wanted]
