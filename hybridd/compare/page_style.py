"""The looks of the report.

Colours: the parts of the stacked bars are from Okabe and Ito's palette, which colour-blind readers can tell apart.

Knows:     CSS.
Runs in:   the command line tool; a constant.
"""

STYLE = """
:root {
  --paper: #fdfcfa; --ink: #1c1917; --faint: #57534e; --line: #d6d3d1; --card: #ffffff; --bar: #78716c; --best: #b45309;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #171412; --ink: #f0eeec; --faint: #b5afa9; --line: #44403c; --card: #211e1b; --bar: #8f8780;
    --best: #f59e0b;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; max-width: 78rem; padding: 2rem 1.25rem 4rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif;
}
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .5rem; }
h2 { font-size: 1.25rem; margin: 2.5rem 0 1rem; }
h3 { font-size: 1rem; margin: 0; }
code { font: .95em ui-monospace, monospace; overflow-wrap: anywhere; }
header p, figcaption p, caption, small { color: var(--faint); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
caption { text-align: left; padding-bottom: .75rem; }
th, td { padding: .35rem .6rem; text-align: right; vertical-align: bottom; }
td { white-space: nowrap; }
thead th { border-bottom: 2px solid var(--line); font-size: .85rem; }
th:first-child { text-align: left; }
tbody th small { display: block; font-weight: normal; }
td.best { color: var(--best); font-weight: 600; }
tr.words td { text-align: left; white-space: normal; border-bottom: 1px solid var(--line); padding-bottom: .8rem; }
tr.words td { color: var(--faint); font-size: .92rem; max-width: 1px; }
tr.words p { margin: 0; position: sticky; left: .6rem; max-width: calc(100vw - 3.7rem); }
.charts { display: grid; gap: 1.25rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr)); }
figure { margin: 0; padding: 1rem; background: var(--card); border: 1px solid var(--line); border-radius: .5rem; }
figcaption p { margin: .15rem 0 .75rem; font-size: .88rem; }
svg { display: block; width: 100%; height: auto; font: 13px system-ui, sans-serif; font-variant-numeric: tabular-nums; }
svg text { fill: var(--ink); }
.bar { fill: var(--bar); }
.best { fill: var(--best); }
.gap { fill: var(--card); }
.legend { display: flex; flex-wrap: wrap; gap: .25rem 1rem; list-style: none; margin: 0 0 .6rem; padding: 0; }
.legend { font-size: .88rem; }
.key { display: inline-block; width: .8em; height: .8em; margin-right: .4em; border-radius: 2px; }
.part0 { fill: #009e73; background: #009e73; }
.part1 { fill: #e69f00; background: #e69f00; }
.part2 { fill: #56b4e9; background: #56b4e9; }
.part3 { fill: #6b7280; background: #6b7280; }
.part4 { fill: #d55e00; background: #d55e00; }
svg text.inside0, svg text.inside1, svg text.inside2, svg text.inside4 { fill: #1c1917; }
svg text.inside3 { fill: #ffffff; }
@media print { .charts { display: block; } figure { break-inside: avoid; margin-bottom: 1rem; } }
"""
