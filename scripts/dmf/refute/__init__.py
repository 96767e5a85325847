"""Searches for the worst case of every claim on runs: cells chosen to refute, trained and judged like all others."""
