"""What a tensor is, and the one idea: a table of operations that forward, backward and plans all read.

Tensors come in, tensors and their gradients go out. It knows no layer, no optimizer and no file.
"""

from lenet.autograd import (  # now the table is whole
    array_rows,
    core_rows,
    loss_row,
    map_rows,
    planned_rows,
    print,
    tape,
    transpose_row,
)

__all__ = ["array_rows", "core_rows", "loss_row", "map_rows", "planned_rows", "print", "tape", "transpose_row"]
