"""A network's calls, watched once and compiled into one plan for the engine (Paddle: ``paddle.jit``).

A ``Layer`` comes in, a graph of rows of the table or the reason why there is none goes out. It stands above ``nn``, whose
changes it watches.
"""

from lenet.jit.static import to_static

__all__ = ["to_static"]
