"""The page's style: two themes by the reader's own setting, one column on a phone, two where there is room."""

from __future__ import annotations

__all__ = ["CSS"]

CSS = """
:root {
  color-scheme: light dark;
  --paper: #ffffff; --card: #f4f6f8; --ink: #1b1f24; --soft: #57606a; --line: #d0d7de;
  --blue: #0072b2; --orange: #c24e00;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #13171c; --card: #1c222a; --ink: #e6e9ed; --soft: #a4aeb9; --line: #3a424d;
    --blue: #56b4e9; --orange: #f58a42;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--paper); color: var(--ink); overflow-wrap: anywhere;
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Helvetica Neue", Arial, sans-serif;
}
main { max-width: 70rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 .75rem; text-wrap: balance; }
h2 { font-size: 1.35rem; line-height: 1.25; margin: 3rem 0 .5rem; padding-top: 1rem; border-top: 1px solid var(--line); }
h3 { font-size: 1.05rem; margin: 1.5rem 0 .25rem; }
p { margin: .5rem 0; max-width: 42rem; }
a { color: var(--blue); }
nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; list-style: none; margin: 1.25rem 0 0; padding: 0; }
nav a { display: inline-block; padding: .25rem 0; }
.soft { color: var(--soft); }
.numbers { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .75rem; margin: 1.25rem 0 0; }
.numbers div { background: var(--card); border-radius: .5rem; padding: .75rem .9rem; }
.numbers dt { color: var(--soft); font-size: .875rem; line-height: 1.3; }
.numbers dd { margin: .15rem 0 0; font-size: 1.4rem; line-height: 1.25; font-weight: 600; font-variant-numeric: tabular-nums; }
.numbers dd small { display: block; font-size: .8125rem; font-weight: 400; color: var(--soft); margin-top: .2rem; }
.pair { display: grid; gap: 0 3rem; }
.pair > * { min-width: 0; }
@media (min-width: 56rem) {
  h1 { font-size: 2.25rem; }
  .pair { grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); }
}
figure { margin: 1rem 0 0; }
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
  display: block; box-sizing: content-box; max-width: 100%;
  image-rendering: pixelated; border: 1px solid var(--line); border-radius: 3px;
}
.tiles figcaption { font-size: .8125rem; line-height: 1.4; }
.tiles figcaption > span { display: block; }
.share { white-space: nowrap; }
.tiles b { font-size: .9375rem; }
.truth b { color: var(--blue); }
.answer b { color: var(--orange); }
code { font-family: ui-monospace, "SF Mono", Menlo, Consolas, monospace; font-size: .875em; }
footer { margin-top: 3rem; padding-top: 1rem; border-top: 1px solid var(--line); color: var(--soft); font-size: .875rem; }
a:focus-visible, .scroll:focus-visible { outline: 2px solid var(--blue); outline-offset: 2px; }
@media print { .scroll { max-height: none; } section, figure { break-inside: avoid; } }
"""
