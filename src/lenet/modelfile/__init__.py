"""What lies on disk: model files and pickles, a network as rows of a description, and files that appear whole or not at all.

A network or a path comes in, a file or a network goes out. It knows no recipe and no report.
"""
