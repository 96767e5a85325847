"""Imports what jobs draw with in a third of the time: seaborn without the parts of SciPy that no figure here uses.

seaborn asks for them, and does without where they are missing. Only the server of forks (`dmf.cli.forks`) imports this:
in a Python of a user, who may want to estimate a density, seaborn is whole.
"""

import sys

UNUSED = ("scipy.stats", "scipy.cluster")

missing = [name for name in UNUSED if name not in sys.modules]
sys.modules |= dict.fromkeys(missing)  # type: ignore[arg-type]  # None stands for a module that is not there

import seaborn  # noqa: E402, F401

for name in missing:
    del sys.modules[name]  # whoever asks from now on gets it

from matplotlib.mathtext import MathTextParser  # noqa: E402

import dmf.figures._style  # noqa: E402, F401

MathTextParser("path").parse("$x$")  # builds the grammar of formulas, a tenth of a second of every figure with one
