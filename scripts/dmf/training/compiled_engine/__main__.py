"""Compiles the kernels ahead of their first use: python -m dmf.training.compiled_engine."""

from dmf.training.compiled_engine import CACHE
from dmf.training.compiled_engine.engine import compile_once

if __name__ == "__main__":
    seconds = compile_once()
    print(f"training kernels ready after {seconds:.0f} s{'' if CACHE else ', but with no folder to keep them in'}")
