"""How the page of a run looks: readable in light and dark, as the reader's computer is set, from a phone to a wide screen, on paper.

Paper is always light. It has the run's id and the page's number at the foot of each sheet, heads of tables again on each, and
small columns for differences, notebooks and scripts; nothing on it is smaller than 7.5 points, and of scripts than 7.
"""

from __future__ import annotations

import json
import re

from k8swin_nb.headless.listings import RULES
from k8swin_nb.headless.page_appendix import PAPER
from k8swin_nb.shown import shown_line

_LIGHT = (
    "--fg:#1f2328;--bg:#fff;--soft:#f6f8fa;--line:#c4ccd4;--faint:#57606a;--link:#0550ae;"
    "--ok:#166a30;--warn:#744800;--bad:#b3202a"
)
_DARK = (
    "--fg:#e6edf3;--bg:#0d1117;--soft:#161b22;--line:#3d444d;--faint:#a0a8b1;--link:#79c0ff;"
    "--ok:#56d364;--warn:#e3b341;--bad:#ff8f87"
)

OPENED = "content-visibility:visible;display:block;height:auto"
"""What shows the content of an element that is closed, without its being opened."""

TARGET = "24px"
"""Height and width that what is clicked has at least on the screen, whatever the font (WCAG 2.2, 2.5.8)."""

_SCREEN = f"""
:root{{color-scheme:light dark;{_LIGHT}}}
@media screen and (prefers-color-scheme:dark){{:root{{{_DARK}}}}}
*{{box-sizing:border-box}}
body{{margin:0;color:var(--fg);background:var(--bg);font:15px/1.5 system-ui,"Segoe UI","Liberation Sans",Arial,sans-serif}}
main{{max-width:86em;margin:0 auto;padding:1em clamp(.6em,2vw,2em)}}
h1,h2,h3,h4,h5,h6{{line-height:1.25;margin:1.2em 0 .4em;overflow-wrap:anywhere}}
h1{{font-size:1.5em;margin-top:.2em}}h2{{font-size:1.3em;border-bottom:1px solid var(--line)}}h3{{font-size:1.1em}}h4,h5,h6{{font-size:1em}}
a{{color:var(--link)}}:focus-visible{{outline:2px solid var(--link);outline-offset:2px}}
nav ul{{list-style:none;padding:0;display:flex;flex-wrap:wrap;gap:.2em 1.2em}}
.w{{overflow-x:auto;max-width:100%}}
table{{border-collapse:collapse;font-size:.92em;margin:.3em 0}}caption{{text-align:left;font-weight:600;padding:.2em 0}}
th,td{{text-align:left;vertical-align:top;padding:.2em .6em;border-bottom:1px solid var(--line)}}
thead th{{background:var(--soft)}}tbody th{{font-weight:600}}.n{{text-align:right}}.nb{{white-space:nowrap}}
.steps td:nth-child(5){{min-width:14em}}.steps td:nth-child(6){{min-width:12em}}
.facts{{width:100%}}.facts td{{overflow-wrap:anywhere}}.facts th{{white-space:nowrap;width:1%}}
.word{{font-size:1.1em;margin:.2em 0 .6em}}
.s-ok{{color:var(--ok)}}.s-waiting{{color:var(--warn)}}.s-failed{{color:var(--bad)}}.s-skipped,small,.no,figcaption{{color:var(--faint)}}
pre,code{{font-family:ui-monospace,Menlo,Consolas,"Liberation Mono","DejaVu Sans Mono",monospace;font-size:.9em}}
pre{{margin:.2em 0;white-space:pre-wrap;overflow-wrap:anywhere;background:var(--soft);padding:.4em .6em;line-height:1.35}}
code{{overflow-wrap:anywhere}}
pre i{{font-style:normal;user-select:none;color:var(--faint)}}
summary{{cursor:pointer;padding:3px 0;overflow-wrap:anywhere}}
details:target::details-content{{{OPENED}}}
:target{{scroll-margin-top:1em}}summary:target,details:target>summary{{background:var(--soft)}}
img{{max-width:100%;height:auto;background:#fff}}figure{{margin:.6em 0}}
.figs figure.tbl{{max-width:100%}}
.nb-cells .in{{display:flex;gap:.5em;align-items:baseline}}.nb-cells .in pre{{flex:1;min-width:0}}.no{{font-size:.8em}}
p,li,dd,figcaption{{overflow-wrap:anywhere}}
.err pre{{border-left:3px solid var(--bad)}}
.chg{{margin:.5em 0;overflow-wrap:anywhere}}.chg p{{margin:0}}.fn{{margin:.1em .6em;font-size:.9em;overflow-wrap:anywhere}}
.src p{{margin:.2em 0}}
.paper{{display:none}}
@media screen{{a{{display:inline-block;max-width:100%;min-width:{TARGET};min-height:{TARGET};line-height:max({TARGET},1.5em);overflow-wrap:anywhere}}summary{{min-height:{TARGET}}}}}
@media screen and (min-width:1100px){{#changes .cols{{columns:2;column-gap:2em}}}}
@media screen and (max-width:600px){{.facts,.facts tbody,.facts tr,.facts th,.facts td{{display:block;width:auto}}.facts th{{border:0;padding-bottom:0}}}}
"""

_PRINT = f"""
@media print{{
  :root{{color-scheme:light}}
  body{{font:8.5pt/1.3 "Segoe UI","Liberation Sans",Arial,Helvetica,sans-serif;orphans:3;widows:3}}
  main{{max-width:none;padding:0}}
  .screen,nav{{display:none!important}}.paper{{display:block;font-style:italic;margin:.2em 0}}
  a{{color:inherit;text-decoration:underline;text-decoration-color:#999}}
  h1{{font-size:14pt}}h2{{font-size:11.5pt;margin:.9em 0 .3em}}h3{{font-size:9.5pt;margin:.7em 0 .2em}}h4,h5,h6{{font-size:8.5pt;margin:.5em 0 .1em}}
  h1,h2,h3,h4,h5,h6,caption,summary,.chg>p,.fn,.no{{break-after:avoid}}
  p,ul,ol{{margin:.25em 0}}ul,ol{{padding-left:1.4em}}
  .word{{font-size:10pt}}
  .w{{overflow:visible}}
  table{{font-size:7.5pt;max-width:100%;line-height:1.14}}.steps{{width:100%;table-layout:fixed}}.facts{{font-size:8.5pt}}
  thead{{display:table-header-group}}tr,img{{break-inside:avoid}}tbody>tr:first-child{{break-before:avoid}}
  th,td{{padding:.07em .35em;white-space:normal!important;overflow-wrap:anywhere;min-width:0!important}}
  .steps .nb,.slim .nb>b{{white-space:nowrap!important}}
  .facts th{{white-space:nowrap!important}}
  .slim :is(th,td),table:not(.steps):not(:has(tr>:nth-child(7))) :is(th,td){{overflow-wrap:break-word}}.slim .long{{overflow-wrap:anywhere}}
  .steps th:nth-child(1){{width:12.5%}}.steps th:nth-child(2){{width:10%}}.steps th:nth-child(3){{width:9%}}.steps th:nth-child(4){{width:3.5%}}.steps th:nth-child(6){{width:32%}}.magics th:nth-child(1){{width:48%}}.magics th:nth-child(5){{width:16%}}.magics th:nth-child(6){{width:11%}}
  pre,code,small{{font-size:7.5pt}}
  pre{{background:none;padding:0;margin:.1em 0;line-height:1.04;letter-spacing:-.2pt;border-left:.5pt solid #bbb;padding-left:2pt}}
  pre i{{display:none}}
  .src,#changes .cols{{columns:3!important;column-gap:4mm!important}}
  .src pre,#changes pre{{font-family:"Arial Narrow","Liberation Sans Narrow",Arial,"Liberation Sans",Helvetica,sans-serif;letter-spacing:0;line-height:1.02}}
  .src :is(pre,code,small,.fn,p){{font-size:7pt;line-height:1}}
  .cols,#cells{{columns:2;column-gap:5mm;font-size:7.5pt;line-height:1.14}}
  #cells .out details,#cells .out:not(:has(:not(details,details *))){{display:none}}
  #cells h3{{font-size:9pt}}#cells :is(h4,h5,h6){{font-size:8pt;margin:.4em 0 .1em}}
  summary{{list-style:none;padding:0}}
  details:not(.{PAPER}):not([open])>summary::after{{content:""}}
  .{PAPER}::details-content{{{OPENED}}}
  .{PAPER}{{margin-bottom:1mm}}
  .again .md,.again .in,.old,.md ul,.md ol,.md details,.md :has(+details),.md p:has(>a+a){{display:none}}
  .no,.fn{{font-size:7.5pt}}.fn{{margin:0 2pt;line-height:1.1}}
  figure{{margin:1mm 0}}figure.picture{{break-inside:avoid}}figure img{{max-height:90mm;width:auto}}figcaption{{font-size:7.5pt}}
  .figs{{display:flow-root}}
}}
"""


def sheet(run: str) -> str:
    """Return the rules of the page of a run.

    Args:
        run: Its id, which stands at the foot of each sheet.
    """
    # A string of CSS ends where one of JSON does; what could end the style itself is written out.
    name = json.dumps(shown_line(run)).replace("<", "\\u003c")
    name = re.sub(r"\\u([0-9a-f]{4})", r"\\\1 ", name)
    small = "font:7.5pt 'Liberation Sans',Arial,sans-serif;color:#444"
    foot = (
        "@page{margin:8mm 9mm 11mm;"
        f'@bottom-left{{content:"Run " {name};{small}}}'
        f'@bottom-right{{content:counter(page) " / " counter(pages);{small}}}}}'
    )
    return f"{_SCREEN}{RULES}{foot}{_PRINT}"
