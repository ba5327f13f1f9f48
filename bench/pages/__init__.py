"""How well digits are read from pictures: real ones (``python -m bench.pages.real``) and drawn ones (``python -m bench.pages``).

Real pictures are other people's and aren't stored here. Drawn pages are made of MNIST's glyphs and Debian's fonts, with their
truth: by ``generator`` numbers on paper, by ``everyday`` what people photograph.
"""
