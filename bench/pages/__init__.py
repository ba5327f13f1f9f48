"""Pages of handwritten digits with their truth, and who reads them how well: ``python -m bench.pages``.

No true phone photos stand behind this: every page is drawn by ``generator`` from MNIST's glyphs and handwriting fonts.
"""
