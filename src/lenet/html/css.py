"""The report's own style, beside that of every page of lenet's: tiles, tables, and two columns where there is room."""

from __future__ import annotations

__all__ = ["CSS"]

CSS = """
.numbers { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .75rem; margin: 1.25rem 0 0; }
.numbers div { background: var(--card); border-radius: .5rem; padding: .75rem .9rem; }
.numbers dt { color: var(--soft); font-size: .875rem; line-height: 1.3; }
.numbers dd { margin: .15rem 0 0; font-size: 1.4rem; line-height: 1.25; font-weight: 600; font-variant-numeric: tabular-nums; }
.numbers dd small { display: block; font-size: .8125rem; font-weight: 400; color: var(--soft); margin-top: .2rem; }
.pair { display: grid; gap: 0 3rem; }
.pair > * { min-width: 0; }
@media (min-width: 56rem) {
  .pair { grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); }
}
figure svg { display: block; width: 100%; max-width: 30rem; height: auto; }
figure svg * { stroke-linejoin: round; }
figure svg text { font-family: inherit !important; }
figcaption { font-size: .9375rem; max-width: 36rem; margin-top: .4rem; }
.scroll { overflow: auto; margin: 1rem 0 0; max-height: 34rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .9375rem; min-width: 100%; }
caption { text-align: left; font-size: .9375rem; padding-bottom: .5rem; }
th, td { padding: .35rem .6rem; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
th:last-child, td:last-child { padding-right: 0; }
thead th {
  white-space: normal; vertical-align: bottom; overflow-wrap: normal; color: var(--soft); font-weight: 600;
  position: sticky; top: 0; background: var(--paper);
}
tbody th { font-weight: 600; }
@media (max-width: 30rem) {
  table { font-size: .8125rem; }
  th, td { padding: .35rem .25rem; }
}
.facts { margin-top: 1rem; }
.facts th, .facts td { text-align: left; white-space: normal; vertical-align: top; }
.facts th { white-space: nowrap; padding-right: 1.25rem; color: var(--soft); }
.tiles {
  display: grid; grid-template-columns: repeat(auto-fill, minmax(7.75rem, 1fr)); gap: 1.25rem .75rem;
  margin: 1.25rem 0 0; padding: 0; list-style: none;
}
.tiles figure { margin: 0; }
.tiles img {
  display: block; box-sizing: content-box; max-width: calc(100% - 2px); height: auto;
  image-rendering: pixelated; border: 1px solid var(--line); border-radius: 3px;
}
.tiles figcaption { font-size: .8125rem; line-height: 1.4; }
.tiles figcaption > span { display: block; }
@media (max-width: 30rem) {
  .tiles { grid-template-columns: repeat(3, minmax(0, 1fr)); gap: 1rem .5rem; }
  .tiles img { width: var(--small); }
}
.share { white-space: nowrap; }
.tiles b { font-size: .9375rem; }
.truth b { color: var(--blue); }
.answer b { color: var(--orange); }
code { font-family: ui-monospace, "SF Mono", Menlo, Consolas, monospace; font-size: .875em; }
.scroll:focus-visible { outline: 2px solid var(--blue); outline-offset: 2px; }
@media print { .scroll { max-height: none; } }
"""
