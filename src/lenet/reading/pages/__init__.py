"""Pages seen by a network that finds digits outright: LeNet's plan on a window, slid over the page in both directions."""
