"""Before a run decides what to make: every file of the grid that is there is compared with what it must be.

Damaged and foreign files are named and moved aside, all in one sweep, so that one run makes all of them again. Files of
an earlier state of the grid or of the code are removed: no page, table or verdict outlives the state that it shows.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from dmf.dataset.manifest import MANIFEST, Entry, problem, read_entries, records
from dmf.dataset.schema import DataError
from dmf.dataset.stamps import Stamp, expecting
from dmf.dataset.store import DamagedFile, read, set_aside, unwritable

Say = Callable[[str], None]
AGAIN = "a run that needs it makes it again"
EARLIER = "is of an earlier state"
STAMPED = ".nc"  # files that carry their identity


def sweep(wanted: Mapping[str, str], own: Iterable[Path], others: Iterable[Path], say: Say) -> list[str]:
    """Move aside each file that is damaged or foreign, and remove those of an earlier state: the paths of all of these.

    `wanted` maps every file of the grid to what it must be of. `own` are the folders that this kind of run fills alone:
    what their manifests name and the grid no longer wants is of an earlier state. `others` are folders that it shares.
    `say` is given a line for each file that is moved. Raises DataError where a file cannot be moved or removed.
    """
    owned = _entries(own, say)
    entries = {**owned, **_entries(others, say)}
    bad, earlier = [], []
    for path in [*wanted, *sorted(owned.keys() - wanted.keys())]:
        if os.path.lexists(path):
            what = _problem(Path(path), wanted.get(path), entries.get(path))
            if what == EARLIER:
                earlier.append(path)
            elif what:
                say(f"{path}: {what}; moved to {set_aside(Path(path))}; {AGAIN}")
                bad.append(path)
    remove(earlier)
    return bad + earlier


def remove(paths: Iterable[str]) -> int:
    """Remove files that can be made again; how many there were. Raises DataError where one cannot be removed."""
    there = [Path(path) for path in paths if os.path.lexists(path)]
    for path in there:
        try:
            path.unlink()
        except OSError as error:
            raise unwritable(path, error) from None
    return len(there)


def _entries(roots: Iterable[Path], say: Say) -> dict[str, Entry]:
    """What the manifests of folders say, by path; a record that is damaged is named and moved aside."""
    found: dict[str, Entry] = {}
    for root in roots:
        for path in records(root):
            try:
                found |= {str(root / name): entry for name, entry in read_entries(path).items()}
            except DamagedFile as error:
                say(f"{path}: {error.what}; moved to {set_aside(path)}; what it recorded is made again")
    return found


def _problem(file: Path, identity: str | None, entry: Entry | None) -> str:
    """What is wrong with a file that must be of `identity`, None for a file that is not wanted: "" where nothing is."""
    if not file.is_file():
        return "is no regular file"
    try:
        what = problem(file, entry, quick=True) if entry else f"no record in {MANIFEST}/ says who wrote it"
        if entry and not what:
            return "" if entry.identity == identity else EARLIER
        if file.suffix == STAMPED and identity:  # it speaks for itself: a copy may have come without its manifest
            with expecting({file: Stamp(identity)}):
                read(file)
            return ""
    except DamagedFile as error:
        return error.what
    except DataError as error:
        return str(error)
    except OSError as error:
        return f"cannot be read ({error.strerror or error})"
    return what
