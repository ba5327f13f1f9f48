"""Linear algebra of matrices (Paddle: ``paddle.linalg``): solving, determinants, decompositions, norms."""

from lenet.autograd.array_rows.arranging import diagonal, matrix_transpose
from lenet.autograd.array_rows.decompositions import (
    cholesky,
    cholesky_inverse,
    cholesky_solve,
    cond,
    det,
    eigh,
    eigvalsh,
    inv,
    lstsq,
    matrix_exp,
    matrix_norm,
    matrix_power,
    matrix_rank,
    multi_dot,
    pinv,
    qr,
    slogdet,
    solve,
    svd,
    svdvals,
    triangular_solve,
    vector_norm,
)
from lenet.autograd.array_rows.linear_algebra import matmul
from lenet.autograd.array_rows.products import cross, vecdot
from lenet.autograd.array_rows.reductions import norm
from lenet.autograd.array_rows.statistics import corrcoef, cov

__all__ = [
    "cholesky", "cholesky_inverse", "cholesky_solve", "cond", "corrcoef", "cov", "cross", "det", "diagonal", "eigh",
    "eigvalsh", "inv", "lstsq", "matmul", "matrix_exp", "matrix_norm", "matrix_power", "matrix_rank", "matrix_transpose",
    "multi_dot", "norm", "pinv", "qr", "slogdet", "solve", "svd", "svdvals", "triangular_solve", "vecdot", "vector_norm",
]  # fmt: skip
