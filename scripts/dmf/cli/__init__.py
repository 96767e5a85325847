"""What the terminal shows: progress while training, and the table of verdicts."""
