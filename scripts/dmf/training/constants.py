"""Numbers of the optimizers that are nobody's to set: one definition for both engines."""

import sys

# The line search: Nocedal & Wright's c1 and c2, and Hager and Zhang's delta (see compiled_engine/line_search.py).
DECREASE = 1e-4
CURVATURE = 0.9
APPROXIMATE = 0.1
FLAT = 50 * sys.float_info.epsilon  # a change of F, relatively, that is rounding: F sums at most a few hundred squares
EXTEND_LEAST, EXTEND_MOST = 2.0, 10.0  # the next trial, in units of this one, while no upper end is known
MARGIN = 0.1  # the share of the bracket next to each end that a trial keeps clear of, so that brackets shrink
TRIALS = 30

# L-BFGS.
FIRST_STEP = 0.1  # the first step's length relative to the start: a scale that follows the problem's
PATIENCE = 200  # evaluations without improvement, above any real pause, after which a run at rounding level has stalled

LOST = 1e12
"""A method without line search has diverged once F exceeds this many times (F at the start + ||M||_F^2)."""

# The second stage of L-BFGS (see dmf.training.refinement).
REFINED_WIDTH = 16
LIGHT = 0.02  # lambda in units of ||M||^(2 - 2/L), above which plain runs are short
ROUGH = (0.02, 0.002)
"""Shares of lambda ||M||^(1/L) at which it begins, one a try: some runs pass a saddle with so small a gradient."""
REFINED_TRIALS = 50  # evaluations that a try may take; most take 20
