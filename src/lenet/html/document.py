"""The HTML pages that lenet writes: their shell and style, and how text and shares stand in them.

A page is one file that needs nothing but a browser: no network, no script. What it says is its writer's business. Read by
``reading`` and ``report``.
"""

from __future__ import annotations

from datetime import date
from html import escape

import numpy as np

from lenet.messages.version import version

__all__ = ["document", "percent", "sure", "text"]

# The browser itself forbids whatever would leave the file.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"

# Two themes by the reader's own setting; one column that a phone shows as well.
_CSS = """
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
figure { margin: 1rem 0 0; }
footer { margin-top: 3rem; padding-top: 1rem; border-top: 1px solid var(--line); color: var(--soft); font-size: .875rem; }
a:focus-visible { outline: 2px solid var(--blue); outline-offset: 2px; }
@media (min-width: 56rem) { h1 { font-size: 2.25rem; } }
@media print { section, figure { break-inside: avoid; } }
"""


def document(title: str, header: str, body: str, css: str) -> str:
    """A whole page. title, header, body: HTML, the title without tags; css: rules of its own, after the common ones."""
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<link rel="icon" href="data:,">
<style>{_CSS}{css}</style>
</head>
<body>
<main>
<header>
{header}
</header>
{body}
<footer>Written on {date.today().isoformat()} by lenet {version()}. Everything in this page is in this one file.</footer>
</main>
</body>
</html>
"""


def text(value: object, most: int = 200) -> str:
    """Anything from a file, fit for HTML: escaped, printable, not endless."""
    plain = "".join(c if c.isprintable() or c == "\u00a0" else "?" for c in str(value))
    return escape(plain if len(plain) <= most else plain[: most - 1] + "…")


def percent(share: float, digits: int = 2) -> str:
    """A share of 0 to 1 as ``99.21 %``, with a space that doesn't break; a dash for NaN."""
    return "–" if np.isnan(share) else f"{100 * share:.{digits}f}\u00a0%"


def sure(probability: float) -> str:
    """A probability for HTML, as a person reads it; never 0 % or 100 %."""
    if probability < 0.001:
        return "&lt;\u00a00.1\u00a0%"
    return "&gt;\u00a099.9\u00a0%" if probability > 0.999 else percent(probability, 1)
