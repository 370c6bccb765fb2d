"""What nbconvert's own style of HTML lacks to be read: its prompts, comments and links are too pale, in both of its themes.

On paper it cuts off what is too wide for a sheet, of code, tables and their captions alike, and leaves half a sheet empty
before a long cell. Words of tables stay whole on paper; a table with very many columns has a sheet of its own, turned.
JupyterLab prints a notebook as nbconvert's page of it, so that these rules are for its menu "Print..." too.
"""

from __future__ import annotations

from collections.abc import Mapping

from k8swin_nb.tables.code import HUES, SHARE

_TOKENS = {
    "Comment": ("c", "c1", "ch", "cm", "cs"),
    "Keyword": ("k", "kc", "kd", "kn", "kr", "ow"),
    "Literal.String": ("s", "s1", "s2", "sb", "sa", "sd", "se", "si"),
    "Literal.Number": ("m", "mi", "mf"),
    "Name.Builtin": ("nb", "bp"),
    "Name.Function": ("nf", "nc", "fm"),
}
"""The classes that nbconvert gives tokens, by the kinds of `HUES`."""

PAGE = "body.jp-Notebook "
"""Selects what is below the body of a page that nbconvert made, and nothing of a front end, whose notebooks are no bodies."""


def exported(within: str = "") -> str:
    """Return CSS rules for a page that nbconvert made.

    Args:
        within: A selector before each of them; `PAGE`, where the rules may come to a front end too.
    """
    looks = {
        (".jp-InputPrompt", ".jp-OutputPrompt"): "color:inherit!important;opacity:.8!important",
        (".highlight", ".highlight pre", ".highlight span"): "color:inherit!important",
        (".jp-RenderedHTMLCommon a",): "text-decoration:underline!important",
    }
    for kind, names in _TOKENS.items():
        hue = f"color:color-mix(in srgb,{HUES[kind]} {SHARE}%,currentColor)!important"
        looks[tuple(f".highlight .{name}" for name in names)] = hue
    return _rules(within, looks)


def printed(within: str = "") -> str:
    """Return CSS rules for the paper of a page that nbconvert made.

    Args:
        within: A selector before each of them, as in `exported`.
    """
    words = ".jp-RenderedHTMLCommon"
    # What is wide is in a box of its own; one that is folded away turns no sheet.
    wide = (
        ".jp-Cell:has(.jp-OutputArea tr>:nth-child(12))",
        ".jp-Cell:has(.jp-OutputArea-output>[role=group] tr>:nth-child(6))",
    )
    looks = {
        (".jp-Cell", ".jp-InputArea-editor"): "break-inside:auto",
        (f"{words} tr",): "break-inside:avoid",
        (f"{words} h1", f"{words} h2", "summary"): "break-after:avoid",
        (f"{words} table",): "font-size:8pt;max-width:100%",
        (f"{words} :is(td,th,caption)",): "white-space:normal!important;min-width:0!important;"
        "overflow-wrap:break-word!important;padding:.3em .5em",
        # The glyph of a mark stays beside its word, where there is room.
        (f"{words} table:not(:has(tr>:nth-child(9))) td:has(>b)",): "white-space:nowrap!important",
        (f"{words} table:has(tr>:nth-child(9)) :is(td,th)",): "font-size:6pt;padding:.3em",
        wide: "page:k8swin-wide",
        tuple(f"{cell} .jp-OutputPrompt" for cell in wide): "display:none!important",
        (f"{words} table:has(tr>:nth-child(12)) :is(td,th)",): "font-size:5pt;padding:.2em",
        (f"{words} table:has(tr>:nth-child(24)) :is(td,th)",): "font-size:4pt;padding:.1em",
        (
            ".jp-InputPrompt",
            ".jp-OutputPrompt",
        ): "flex:0 0 4.5em!important;min-width:0!important;font-size:7pt!important",
        (f"{words} pre", ".highlight pre"): "white-space:pre-wrap!important;overflow-wrap:anywhere;"
        "font-size:7pt!important",
        # All names that papermill can set, folded on a screen: whole for who checks it, on less than a sheet.
        (
            ".celltag_parameters .highlight pre",
        ): "font-size:5.5pt!important;line-height:1.2!important",
        (
            ".jp-OutputArea-output",
            ".jp-OutputArea-output div",
        ): "max-height:none!important;overflow:visible!important",
        ("img", "svg"): "max-width:100%;break-inside:avoid",
    }
    return f"@media print{{@page k8swin-wide{{size:landscape;margin:10mm}}{_rules(within, looks)}}}"


def _rules(within: str, looks: Mapping[tuple[str, ...], str]) -> str:
    return "".join(
        f"{','.join(within + one for one in selectors)}{{{look}}}"
        for selectors, look in looks.items()
    )
