"""The looks of the dashboard; light and dark follow the reader's system.

Knows:     CSS.
Runs in:   nothing; a constant.
"""

from __future__ import annotations

from typing import Final

STYLE: Final = """\
:root {
  --ground: #f6f8f7; --card: #ffffff; --line: #dbe3e0; --ink: #16211f; --soft: #51605c; --accent: #0f766e;
  --good: #0f766e; --warning: #9a5b00; --bad: #b3261e;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #0e1413; --card: #161e1c; --line: #2a3532; --ink: #e7efec; --soft: #9fb0ab; --accent: #5eead4;
    --good: #5eead4; --warning: #f5b94d; --bad: #ff8a80;
  }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 80rem; padding: 1.5rem clamp(1rem, 3vw, 2.5rem); background: var(--ground);
  color: var(--ink); font: .95rem/1.5 system-ui, sans-serif; font-variant-numeric: tabular-nums; }
header { display: flex; flex-wrap: wrap; align-items: baseline; gap: .25rem 1rem; margin-bottom: 1.5rem; }
h1 { margin: 0; font-size: 1.5rem; letter-spacing: -.01em; }
h2 { margin: 0 0 .5rem; font-size: 1rem; }
p { margin: 0; }
a { color: var(--accent); }
.note, footer, dt, th { color: var(--soft); font-size: .85rem; }
#sentence { flex-basis: 100%; overflow-wrap: anywhere; white-space: pre-wrap; }
.badge { padding: .1rem .75rem; border-radius: 1rem; border: 1px solid; font-weight: 600; }
.good { color: var(--good); }
.warning { color: var(--warning); }
.bad { color: var(--bad); }
.tiles { display: grid; grid-template-columns: repeat(6, 1fr); gap: .75rem; margin: 0 0 1.5rem; }
.tile, section { background: var(--card); border: 1px solid var(--line); border-radius: .75rem; }
.tile { position: relative; overflow: hidden; padding: .75rem 1rem 3rem; }
.tile dd { position: relative; margin: 0; }
.tile strong { display: block; font-size: 1.75rem; line-height: 1.3; letter-spacing: -.02em; }
.tile svg { position: absolute; inset: auto 0 0; width: 100%; height: 2.25rem; }
.tile path { fill: color-mix(in srgb, var(--accent) 15%, transparent); stroke: var(--accent); stroke-width: 1.5;
  vector-effect: non-scaling-stroke; }
section { margin-bottom: 1rem; padding: 1rem; }
.scroll { overflow-x: auto; }
.scroll:focus-visible, a:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
table { width: 100%; border-collapse: collapse; }
th, td { padding: .25rem .6rem; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--line); }
th { font-weight: normal; }
tbody tr:last-child td { border-bottom: 0; }
.words { text-align: left; }
.long { width: 100%; min-width: 12rem; white-space: pre-wrap; overflow-wrap: anywhere; unicode-bidi: isolate; }
.facts { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem; margin: 0 0 1rem; }
.facts dd { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; }
.lost main { opacity: .45; }
footer a { margin-left: .75rem; }
@media (max-width: 64rem) { .tiles { grid-template-columns: repeat(3, 1fr); } }
@media (max-width: 32rem) { .tiles { grid-template-columns: repeat(2, 1fr); } }
@media (max-width: 40rem) { .facts { grid-template-columns: 1fr; } .facts dd { margin-bottom: .5rem; } }
"""
