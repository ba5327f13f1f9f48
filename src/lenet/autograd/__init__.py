"""What a tensor is, and the one idea: a table of operations that forward, backward and plans all read.

Tensors come in, tensors and their gradients go out. It knows no layer, no optimizer and no file.
"""
