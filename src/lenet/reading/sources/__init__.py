"""Comes in: a path, bytes, a file, a Pillow image, an array. Goes out: pages of 8-bit colour, upright, one by one (``Source``).

``source`` says what can be opened, ``decode`` knows the decoders, ``pixels`` brings any depth to 8 bits. Nothing here
looks for ink.
"""
