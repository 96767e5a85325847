"""Trains on whatever torch runs on: the engine for graphics cards, and the reference on the processor.

Every quantity of a run is a row of a tensor on the device, and every decision a mask, so a round of all runs needs no
word from the host. On the processor with one thread a run's bits depend on the run alone; on a graphics card, whose
libraries choose their products by the size of the batch, they need not.
"""
