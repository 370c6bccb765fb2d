"""How the page of a run looks: readable in light and dark, as the reader's computer is set, and on paper.

nbconvert's own style has prompts, comments and links that are too pale, and one theme. Its two themes are used here, the dark
one where a screen is to be dark, with what they lack. Paper is always light. What is folded away is printed in the list of
all outcomes; in the notebooks, which say the same again and show the scripts, as far as the reader opened it. Words of tables
stay whole on paper; a table with very many columns has a sheet of its own, turned.
"""

from __future__ import annotations

from k8swin_nb.headless.listings import RULES
from k8swin_nb.tables.exported import exported, printed

PRINTED = "k8swin-printed"
"""Class of what is printed whole, also where it is folded on the screen."""

STYLE = f"""
{exported()}
{printed()}
{RULES}
.jp-RenderedHTMLCommon summary code{{background:none}}
.jp-RenderedHTMLCommon li a{{display:inline-block;padding:4px 0}}
main{{max-width:90em;margin:0 auto}}
@media print{{
  @page{{margin:12mm}}
  .{PRINTED} > details::details-content{{content-visibility:visible;display:block;height:auto}}
}}
"""
"""Rules that come after nbconvert's."""


def with_style(page: str, dark: str) -> str:
    """Return a page with these rules at the end of its head.

    Args:
        page: HTML with a head.
        dark: nbconvert's rules for its dark theme.
    """
    rules = (
        f"@media screen and (prefers-color-scheme: dark){{:root{{color-scheme:dark}}{dark}}}{STYLE}"
    )
    head, end, rest = page.partition("</head>")
    return f"{head}<style>{rules}</style>{end}{rest}"
