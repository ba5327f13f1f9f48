"""What a tensor is, and the one idea: a table of operations that forward, backward and plans all read.

Tensors come in, tensors and their gradients go out. It knows no layer, no optimizer and no file.
"""

from lenet.autograd import array_rows, core_rows, loss_row, print, tape, transpose_row  # now the table is whole

__all__ = ["array_rows", "core_rows", "loss_row", "print", "tape", "transpose_row"]
