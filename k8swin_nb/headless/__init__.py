"""Runs of all notebooks without a front end: papermill executes them, this package watches and reports.

What may live here: the order of notebooks, progress on a terminal, the page of a run. What may not: steps, and
anything that a single notebook under stock papermill would then lack.
"""

from k8swin_nb.headless.grammar import build_later

# Before any of this package's modules imports nbformat, which imports jsonschema.
build_later()
