"""Keeps what is imported so far out of garbage collection: for `dmf.cli.forks`, whose jobs would copy it all."""

import gc

gc.freeze()
