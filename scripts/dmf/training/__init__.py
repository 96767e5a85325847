"""Trains many deep factorizations in one batch. Knows no theory; import dmf.training.engine to run it."""

import os

# MKL otherwise sums in an order that depends on where in memory a run lies, so a run's bits would depend on its
# neighbours in the batch. Read once, before the first product. AVX2 is what current x86 processors share.
os.environ.setdefault("MKL_CBWR", "AVX2,STRICT")
