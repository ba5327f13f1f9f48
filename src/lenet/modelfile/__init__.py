"""What a model is on disk: model files, pickles, and a network as rows of a description.

A network or a path comes in, a file or a network goes out. It knows no recipe and no report.
"""
