"""Facts and files as DataFrames; imported where one is asked for, for pandas comes with it."""

from __future__ import annotations

from collections import Counter

from k8swin_nb.tables.frames import ShownFrame


class FactsFrame(ShownFrame):
    """A row for each host, a column for each fact."""

    _index_heading = "host"

    @property
    def caption(self) -> str:
        """Of how many hosts they are."""
        return f"Facts of {len(self)} host{'' if len(self) == 1 else 's'}"


class FilesFrame(ShownFrame):
    """A row for each file of a host."""

    @property
    def caption(self) -> str:
        """How many files ended how."""
        if "OUTCOME" not in self.columns:
            return ""
        counts = Counter(map(str, self["OUTCOME"]))
        return f"Files: {', '.join(f'{count} {outcome}' for outcome, count in counts.items())}"
