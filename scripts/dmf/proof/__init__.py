"""Proofs of single trained points, in arithmetic that encloses its errors, from stored numbers alone; no closed form.

Nothing here imports from `dmf.theory` or `dmf.training`: what a proof says must not come from what it is held against.
"""
