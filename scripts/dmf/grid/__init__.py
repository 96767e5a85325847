"""What is asked for: the typed configuration, its targets, cells and random numbers, and their tiles."""
