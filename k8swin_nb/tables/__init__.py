"""How tables, marks and pictures are written: the one writer and the one palette, as text and as static HTML.

What may live here: how rows look. What the rows are is said by those who have them. Nothing here needs JavaScript,
and only `frames` needs pandas.
"""

from k8swin_nb.tables.palette import Mark, State
from k8swin_nb.tables.table import Column, Folded, StaticTable, folding, marked, table_html
from k8swin_nb.tables.text import WRAPPED, at_its_end, escaped, preformatted

__all__ = [
    "WRAPPED",
    "Column",
    "Folded",
    "Mark",
    "State",
    "StaticTable",
    "at_its_end",
    "escaped",
    "folding",
    "marked",
    "preformatted",
    "table_html",
]
