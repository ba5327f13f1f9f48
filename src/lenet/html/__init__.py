"""A page in one HTML file: head, style, tables and numbers. What a page says is written by whoever asks for it."""
