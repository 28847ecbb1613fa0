"""The look of the report: light or dark as the reader's system is."""

from __future__ import annotations

STYLE = """
:root { color-scheme: light dark; --paper: #fff; --ink: #1c2430; --soft: #5b6675; --line: #d7dce3; --card: #f6f7f9;
  --warn: #fff4d6; --accent: #0b5cad; }
@media (prefers-color-scheme: dark) { :root { --paper: #14181e; --ink: #e4e8ee; --soft: #9aa5b4; --line: #333b47;
  --card: #1d232c; --warn: #40361a; --accent: #7db7f5; } }
* { box-sizing: border-box; }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 1240px;
  margin: 0 auto; padding: 1.5rem; }
h1 { font-size: 1.5rem; overflow-wrap: anywhere; margin: 0 0 .3rem; }
h2 { font-size: 1.15rem; border-bottom: 1px solid var(--line); margin: 2.2rem 0 .8rem; padding-bottom: .2rem; }
h3 { font-size: 1rem; margin: .2rem 0; }
.lead, .kind, figcaption, small, dt, .none { color: var(--soft); }
.warn { background: var(--warn); border-radius: 6px; padding: .7rem 1rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .25rem .9rem .25rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem .9rem; margin: .4rem 0; }
dd { margin: 0; overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
dl.small { font-size: .86rem; }
.versions { grid-template-columns: repeat(auto-fill, minmax(7.5rem, max-content)); }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(520px, 1fr)); gap: 1rem; }
.cards dl { grid-template-columns: max-content auto max-content 1fr; }
article { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: .8rem; }
.kind, .none { margin: 0 0 .4rem; font-size: .86rem; }
img { max-width: 100%; height: auto; border-radius: 4px; background: #fff; }
.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(460px, 1fr)); gap: 1rem; align-items: start; }
figure { margin: 0; background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: .6rem; }
figcaption { font-size: .86rem; overflow-wrap: anywhere; }
.command { overflow-wrap: anywhere; }
summary { cursor: pointer; color: var(--accent); margin: .6rem 0; }
@media (max-width: 560px) { body { padding: .8rem; } .plots, .cards { grid-template-columns: 1fr; }
  .cards dl { grid-template-columns: max-content 1fr; } }
@media print { article, figure { break-inside: avoid; } }
"""
