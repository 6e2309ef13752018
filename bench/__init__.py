"""Benchmarks: figures, never tests. ``python -m bench`` runs them; docs/benchmarks.md says how they are made."""
