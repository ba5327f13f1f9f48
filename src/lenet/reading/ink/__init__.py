"""Comes in: a page's colours. Goes out: its ink (``Ink``), upright, without rules, boxes, borders and specks.

``find`` tells ink from ``paper``, which looks for the sheet's edges (``sheet_edges``); ``straighten`` turns the ink
upright; ``clean`` takes out what nobody wrote, and ``two_inks`` tells a rule from a pen of another colour. Nothing here
knows a digit.
"""
