"""Comes in: a page's ink. Goes out: rows of glyphs, each with what the network says of it.

``shape`` cuts the ink into its connected pieces, ``lines`` puts these in reading order, ``glyphs`` asks the network which
of them make one digit and, with ``split``, which are several; ``form`` is a digit as the network is shown it; ``singles`` is
the short way for an image of one digit. Nothing here decides what is believed: ``lenet.reading.belief`` does.
"""
