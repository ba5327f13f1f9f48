"""The drawn world that the line network learns from: hands, writing on lines, papers and cameras, all from a seed.

Nothing here is needed to read. Real pictures have no part in it: digits are of MNIST's training set, of pens' traces, of what
schools teach and of fonts. Read by ``training``.
"""
