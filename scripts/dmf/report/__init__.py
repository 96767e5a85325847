"""The page and tables people read: verdicts, figures, provenance."""
