"""The drawn world that the networks for lines and pages learn from: hands, lines, layouts, papers, cameras, all from a seed.

Nothing here is needed to read. Real pictures have no part in it: digits are of MNIST's training set, of pens' traces, of what
schools teach and of fonts. Read by ``training``.
"""
