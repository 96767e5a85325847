"""How many runs train side by side on a device."""

from itertools import pairwise

import torch

from dmf.training.torch_engine.objective import columns_of, whole_lines
from dmf.training.torch_engine.slots import MIN_SLOTS

_CACHE_BYTES = 32e6  # measured: a smaller state gains less from the cache than it loses on calls
_PROCESSOR = (64, 512)  # fewer waste time on the cost of a call, more on the last runs of a batch
_FREE_SHARE = 0.5  # of a card's free memory; torch keeps freed blocks of other sizes, and others use the card too


def bytes_of_a_run(widths: tuple[int, ...], pairs: int, samples: int = 0) -> int:
    """Memory that a run with `pairs` stored pairs needs: its state, and what a round holds besides.

    With `samples`, it has inputs (d_0, samples) of its own.
    """
    size = whole_lines(sum(m * n for n, m in pairwise(widths)))
    columns = whole_lines(samples) if samples else columns_of(widths)
    products = columns * (sum(widths[0 if samples else 1 :]) + 2 * max(widths) + 2 * widths[-1])
    return 8 * ((2 * pairs + 12) * size + products + 2 * pairs * pairs + 64)


def runs_side_by_side(device: str, widths: tuple[int, ...], pairs: int, samples: int = 0) -> int:
    """As many runs as the processor's cache or half of a card's free memory holds."""
    need = bytes_of_a_run(widths, pairs, samples)
    if device == "cpu":
        least, most = _PROCESSOR
        return min(max(int(_CACHE_BYTES / need), least), most)
    free, _ = torch.cuda.mem_get_info(device)
    return max(int(_FREE_SHARE * free / need), MIN_SLOTS)
