"""The documentation as a site: ``python -m website`` builds it out of docs/, the examples and the docstrings."""
