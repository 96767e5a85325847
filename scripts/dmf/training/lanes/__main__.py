"""Compiles the kernels ahead of their first use: python -m dmf.training.lanes."""

from dmf.training.lanes import CACHE
from dmf.training.lanes.engine import compile_kernels

if __name__ == "__main__":
    seconds = compile_kernels()
    print(f"training kernels ready after {seconds:.0f} s{'' if CACHE else ', but with no folder to keep them in'}")
