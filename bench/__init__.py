"""Measurements beside the tools that people would use otherwise: `make bench`, or `python -m bench`.

Each tool runs in a process of its own, in the same session on the same computer; peers come from the package index
into an environment of their own. What counts are the ratios: both ends work here, and seconds are this computer's.
docs/benchmarks.md keeps the last table.
"""
