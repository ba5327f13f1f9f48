"""Comes in: images of 28 x 28 pixels. Goes out: the probabilities of ten digits and of none (``reader``).

The packaged weights lie here, and how they are made: ``training`` is the command, ``samples`` draws what it learns from,
``touching`` runs of touching digits, ``sheets`` the paper, light and camera. To read, ``reader`` alone is needed.
"""
