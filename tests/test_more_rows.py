"""Further tensor functions beside real Paddle, live, one call a line: values, types, shapes and gradients.

Every function of the array rows stands here, in test_array_rows, or in a list of what is tested elsewhere. The forms that
write in place come by one rule in the source, and are tested by one here.
"""

from __future__ import annotations

import re
from types import ModuleType
from typing import Any

import calls
import numpy as np
import pytest
from test_array_rows import LINES as FIRST

import lenet
from lenet.autograd import array_rows
from lenet.autograd.array_rows import methods

CALLS = """
p.deg2rad(x)  p.rad2deg(x)  p.deg2rad(i)  p.frac(x*3)  p.sgn(x)  p.positive(x)  p.negative(x)  p.sinc(x)  p.sinc(z)
p.i0(x*3)  p.i0e(x*3)  p.i1(x*3)  p.i1e(x*3)  p.i1(z)  p.erfinv(h)  p.lgamma(x*3)  p.gammaln(u)  p.digamma(x*3)
p.polygamma(u, 1)  p.polygamma(u, 2)  p.polygamma(u, 0)  p.multigammaln(u+3, 2)  p.gammainc(u, u*2)
p.gammaincc(u*3, u)  p.logit(p.abs(h))  p.logit(p.abs(x)/2, 0.2)  p.logit(x, 0.01)  p.stanh(x)  p.stanh(x, 0.5, 2.)
p.isneginf(n)  p.isposinf(n)  p.isreal(x)  p.signbit(x)  p.signbit(i)  p.nan_to_num(n)  p.nan_to_num(n, 1., 2., 3.)
p.nan_to_num(x)  p.frexp(x.detach())  p.ldexp(x, i[0, :3])  p.ldexp(i, j)  p.fmax(r, s)  p.fmin(r, s)
p.fmax(n, n[0])  p.fmin(x, v)  p.fmax(i, j)  p.heaviside(r, s)  p.heaviside(x, v)  p.heaviside(i, j)  p.hypot(x, u)
p.hypot(x, v)  p.copysign(x, v)  p.copysign(i, j)  p.copysign(x, -1.5)  p.logaddexp(x, v)  p.logaddexp(i, j)
p.nextafter(x, u)  p.lerp(x, u, 0.3)  p.div(x, u)  p.div(x, u, rounding_mode='floor')
p.div(i, j, rounding_mode='trunc')  p.div(i, j, rounding_mode='floor')  p.div(i, j)  p.sub(x, u, alpha=2)
p.mul(x, u)  p.true_divide(i, j)  p.eq(r, s)  p.ne(r, s)  p.ge(r, s)  p.gt(r, s)  p.le(r, s)  p.lt(r, s)
p.less(r, s)  p.greater(r, s)  p.bitwise_and(i, j)  p.bitwise_or(i, j)  p.bitwise_xor(b, c)  p.bitwise_not(i)
p.bitwise_not(b)  p.bitwise_invert(i)  p.bitwise_left_shift(i, j)  p.bitwise_right_shift(i, j)
p.bitwise_right_shift(i, j, False)  p.gcd(i, j)  p.lcm(i, j)  p.cumprod(x, 1)  p.cumprod(z, 1)  p.cumprod(z, 0)
p.cumprod(x, -1, dtype='float64')  p.cumprod(i, 0)  p.cumprod(x)  p.logcumsumexp(x)  p.logcumsumexp(x, 1)
p.logcumsumexp(x*20, axis=-1)  p.cummax(x, 1)  p.cummax(r, 0)  p.cummax(r)  p.cummin(i, 1)
p.cummin(r, -1, dtype='int32')  p.cummin(x)  p.diff(x)  p.diff(x, 2, 1)  p.diff(x, axis=1, prepend=x[:, :1])
p.diff(x, append=x[:, :, :1])  p.diff(b)  p.diff(i, axis=0)  p.trapezoid(x)  p.trapezoid(x, dx=2.)
p.trapezoid(x, k)  p.trapezoid(x, u, axis=1)  p.cumulative_trapezoid(x)  p.cumulative_trapezoid(x, k)
p.cumulative_trapezoid(x, dx=0.5, axis=1)  p.quantile(x, 0.3)  p.quantile(x, [0.1, 0.5, 1.0], 1)
p.quantile(x, 0.5, [0, 2], True)  p.quantile(x, 0.4, 1, interpolation='lower')
p.quantile(x, 0.4, 1, interpolation='higher')  p.quantile(x, 0.4, 1, interpolation='midpoint')
p.quantile(x, 0.4, 1, interpolation='nearest')  p.quantile(n, 0.4)  p.nanquantile(n, 0.4)
p.nanquantile(x, [0.2, 0.9], axis=2)  p.nanmedian(x)  p.nanmedian(x, 1)  p.nanmedian(x, 1, True)
p.nanmedian(x, [0, 1])  p.nanmedian(x, 1, mode='min')  p.nanmedian(x, 2, mode='min')  p.kthvalue(x, 2)
p.kthvalue(x, 1, 1, True)  p.kthvalue(i, 3, 0)  p.mode(r)  p.mode(r, 0)  p.mode(i, 1, True)  p.msort(x)
p.nansum(x, 1)  p.nansum(p.to_tensor([[1., float('nan')], [2., 3.]]), 0)  p.nansum(i)
p.nanmean(p.to_tensor([[1., float('nan')], [2., 3.]]), 1, True)  p.nanmean(x)  p.count_nonzero(r)
p.count_nonzero(r, 1, True)  p.count_nonzero(b, [0, 1])  p.bincount(j[0])  p.bincount(j[0], minlength=12)
p.bincount(j[0], weights=j[0].astype('float32'))  p.bincount(j[0], weights=j[0].astype('float64'))
p.bincount(j[0], weights=j[0])  p.histogram(x.detach(), 5)  p.histogram(x.detach(), 4, -1, 1)  p.histogram(i, 3)
p.histogram(i, 3, density=True)  p.histogram(x.detach(), 4, weight=u.detach())
p.histogram(x.detach(), 4, weight=u.detach(), density=True)  p.histogram_bin_edges(x.detach(), 4)
p.histogram_bin_edges(x.detach(), 4, -1, 2)  p.histogramdd(x.detach(), [2, 3, 2])[0]
p.histogramdd(x.detach(), 3, density=True)[0]  p.histogramdd(x.detach(), 3, ranges=[-1., 1., -2., 2., 0., 1.])[0]
p.searchsorted(p.sort(k), x)  p.searchsorted(p.sort(k), x, True, True)  p.searchsorted(p.sort(x), x)
p.searchsorted(p.sort(x), x, side='right')  p.bucketize(x, p.sort(k))
p.bucketize(i, p.to_tensor([-2, 0, 2]), right=True)  p.isin(i, j)  p.isin(i, j, invert=True)  p.argwhere(i)
p.unique_consecutive(p.to_tensor([1, 1, 2, 2, 3, 1, 1]))
p.unique_consecutive(p.to_tensor([1, 1, 2, 2, 3, 1, 1]), True, True)
p.unique_consecutive(p.to_tensor([[1, 1], [1, 1], [2, 1]]), axis=0)
p.unique_consecutive(p.to_tensor([[1, 1], [1, 1], [2, 1]]), True, True, axis=0, dtype='int32')  p.linalg.cov(m)
p.linalg.cov(m, False)  p.linalg.cov(m, ddof=False)  p.linalg.cov(k)
p.linalg.cov(m, fweights=p.to_tensor([1, 2, 3]))
p.linalg.cov(m, aweights=p.to_tensor([1., 2., 3.]).astype(m.dtype))
p.linalg.cov(m, fweights=p.to_tensor([1, 2, 3]), aweights=p.to_tensor([1., 2., 3.]).astype(m.dtype))
p.linalg.corrcoef(m)  p.linalg.corrcoef(w, False)  p.linalg.corrcoef(k)  p.diagonal(x)  p.diagonal(x, 1, 1, 2)
p.diagonal(x, -1, axis1=2, axis2=0)  p.trace(m)  p.trace(x, 1, 1, 2)  p.trace(i)  p.diagflat(k)  p.diagflat(m, 1)
p.block_diag([m, k, w])  p.rot90(x)  p.rot90(x, 2)  p.rot90(x, -1, [1, 2])  p.swapaxes(x, 0, 2)  p.swapdims(x, 0, 1)
p.permute(x, [2, 0, 1])  p.matrix_transpose(x)  x.mT  p.reverse(x, [0, 1])  p.ravel(x)  p.view(x, [4, 6])
x.view([3, 8])  p.view(i, 'int32')  p.view_as(x, p.ones([6, 4]))  p.unflatten(x, 1, [2, 2])
p.unflatten(x, -2, [2, -1])  p.unflatten(x, 1, p.to_tensor([2, 2]))  p.atleast_1d(p.to_tensor(2.), x)
p.atleast_2d(k)  p.atleast_2d(k, p.to_tensor(1))  p.atleast_3d(k, m, p.to_tensor(3))  p.hstack([k, k])
p.hstack([m, m*2])  p.vstack([k, k])  p.vstack([m, m])  p.dstack([k, k])  p.dstack([m, m])  p.column_stack([k, k])
p.column_stack([m, m])  p.row_stack([k, m])  p.cat([x, u], 1)  p.concatenate([x, u], -1)  p.tensor_split(x, 3, 1)
p.tensor_split(x, [1, 3], 1)  p.tensor_split(w, 2)  p.hsplit(w, 2)  p.hsplit(k, [1])  p.vsplit(w, 3)
p.dsplit(x, [1, 2])  p.narrow(x, 1, 1, 2)  p.strided_slice(x, [1, 2], [0, -1], [4, -4], [2, -1])
p.strided_slice(x, [1], [3], [0], [-2])  p.crop(x, [1, 2, 2], [0, 1, 1])  p.crop(x, [-1, 2, -1], offsets=[0, 1, 0])
p.crop(x, p.to_tensor([1, 2, 2]))  p.repeat_interleave(x, 2)  p.repeat_interleave(x, 2, 1)
p.repeat_interleave(x, p.to_tensor([1, 0, 2]), 2)  p.repeat_interleave(i, 3, 0)  p.unfold(x, 2, 2, 2)
p.take(x, p.to_tensor([[0, 5], [-1, 3]]))  p.take(x, p.to_tensor([[0, 50], [-1, 3]]), mode='wrap')
p.take(x, p.to_tensor([[0, 50], [-1, 3]]), mode='clip')  p.take_along_dim(m, p.to_tensor([[0, 2], [1, 1]]), 1)
p.multiplex([m, m*2], p.to_tensor([[1], [0]], dtype='int32'))  p.cartesian_prod([k, m[0]])  p.combinations(k)
p.combinations(k, 2, True)  p.combinations(k, 3)  p.vander(k)  p.vander(k, 2)  p.vander(k, 4, True)  p.vander(i[0])
p.broadcast_tensors([x, v])  p.reduce_as(x, v)  p.reduce_as(x, k)  p.shard_index(p.to_tensor([[16], [1]]), 20, 2, 0)
p.shard_index(p.to_tensor([[16], [1]]), 20, 2, 1, -7)  p.addmm(w[:2, :3], m[:, :2], m[:, :3])
p.addmm(k, m[:, :2], m, beta=0.5, alpha=2.)
p.baddbmm(x[:, :, :1]*p.ones([2, 4, 5]).astype(x.dtype), x, y, beta=0.3, alpha=2.)  p.inner(m, m)  p.inner(k, k)
p.inner(x, k)  p.inner(p.to_tensor(2.).astype(k.dtype), k)  p.ger(k, k)  p.vecdot(x, u)  p.vecdot(x, u, axis=1)
p.kron(m, w)  p.kron(k, m)  p.kron(i, j)  p.cross(x, u)  p.cross(m, m*2, 1)  p.cross(k, k+1)  p.tensordot(x, u, 3)
p.tensordot(x, w, 1)  p.tensordot(x, u, [[0, 1], [0, 1]])  p.tensordot(x, u, [0, 1])  p.tensordot(m, m, 0)
p.tensordot(m, m, [1])  p.einsum('ij,jk->ik', m, w)  p.einsum('ij->ji', m)  p.einsum('i,i->', k, k)
p.einsum('i,j', k, k)  p.einsum('bij,bjk->bik', x, y)  p.einsum('...ij->...ji', x)  p.einsum('...ij,...jk', x, y)
p.einsum('ii->i', z)  p.einsum('ii', z)  p.einsum('ijk->j', x)  p.einsum('bik,bik->b', x, u)  p.dist(x, u)
p.dist(x, v, 1)  p.dist(x, u, 0)  p.dist(x, u, float('inf'))  p.cdist(m, m+1)  p.cdist(x, x[:, :2]+1, 1.)
p.cdist(m, m+2, 3.)  p.pdist(w)  p.pdist(w, 1.)  p.renorm(x, 2., 1, 1.)  p.renorm(x, 1., -1, 0.5)
p.linalg.inv(z+p.eye(3).astype(z.dtype))  p.linalg.det(z+p.eye(3).astype(z.dtype))
p.linalg.slogdet(z+p.eye(3).astype(z.dtype))  p.linalg.solve(z+p.eye(3).astype(z.dtype), w)
p.linalg.solve(z+p.eye(3).astype(z.dtype), k)  p.linalg.triangular_solve(z+p.eye(3).astype(z.dtype), w)
p.linalg.triangular_solve(z+p.eye(3).astype(z.dtype), w, upper=False, transpose=True)
p.linalg.cholesky(p.mm(z, z.t())+p.eye(3).astype(z.dtype))
p.linalg.cholesky(p.mm(z, z.t())+p.eye(3).astype(z.dtype), True)
p.linalg.cholesky_solve(w, p.eye(3).astype(z.dtype)+z.tril())  p.linalg.eigvalsh(z+z.t())
p.linalg.eigh((z+z.t()).detach())[0]  p.linalg.svd(m.detach())[1]  p.linalg.svdvals(m)  p.linalg.qr(w.detach())
p.linalg.qr(w.detach(), 'r')  p.linalg.matrix_power(z, 3)  p.linalg.matrix_power(z+p.eye(3).astype(z.dtype), -2)
p.linalg.matrix_power(z, 0).detach()  p.linalg.matrix_exp(z)  p.linalg.multi_dot([m, w])
p.linalg.multi_dot([m, w, w.t()])  p.linalg.matrix_rank(z)  p.linalg.matrix_rank(m, 0.5)  p.linalg.pinv(m.detach())
p.linalg.cond(z.detach()+p.eye(3).astype(z.dtype))  p.linalg.cond(z.detach()+p.eye(3).astype(z.dtype), 1)
p.linalg.cond(z.detach()+p.eye(3).astype(z.dtype), 'fro')  p.linalg.vector_norm(x)
p.linalg.vector_norm(x, 3., [0, 1])  p.linalg.vector_norm(x, 1., 1, True)  p.linalg.matrix_norm(m)
p.linalg.matrix_norm(x, 1)  p.linalg.matrix_norm(x, 'nuc')  p.linalg.norm(x)
p.linalg.lstsq(w.detach(), w.detach()[:, :1])[0]  p.scatter(w, p.to_tensor([2, 0]), w[:2]*2)
p.scatter(w, p.to_tensor([2, 0, 2]), w*2, overwrite=False)  p.scatter_nd_add(w, p.to_tensor([[1], [1], [0]]), w)
p.scatter_nd_add(w, p.to_tensor([[1, 2], [1, 2], [0, 0]]), k)  p.scatter_nd(p.to_tensor([[1], [1], [0]]), w, [4, 4])
p.put_along_axis(m, p.to_tensor([[0, 2], [1, 0]]), m[:, :2]*3, 1)
p.put_along_axis(m, p.to_tensor([[0, 0], [1, 0]]), m[:, :2], 1, 'add')
p.put_along_axis(m, p.to_tensor([[0, 0], [1, 0]]), m[:, :2], 1, 'mul')
p.put_along_axis(m, p.to_tensor([[0, 0], [1, 0]]), m[:, :2], 1, 'mean')
p.put_along_axis(m, p.to_tensor([[0, 0], [1, 0]]), m[:, :2]*3, 1, 'amax')
p.put_along_axis(m, p.to_tensor([[0, 0], [1, 0]]), m[:, :2]*3, 1, 'amin')
p.put_along_axis(m, p.to_tensor([[0, 0], [1, 0]]), m[:, :2], 1, 'add', include_self=False)
p.put_along_axis(m, p.to_tensor([[0, 0]]), m[:1, :2], 0, 'add', broadcast=False)
p.scatter_add(m, 1, p.to_tensor([[0, 0], [1, 0]]), m[:, :2])
p.scatter_reduce(m, 1, p.to_tensor([[0, 0], [1, 0]]), m[:, :2], 'sum')
p.scatter_reduce(m, 1, p.to_tensor([[0, 0], [1, 0]]), m[:, :2], 'prod', include_self=False)
p.index_add(w, p.to_tensor([0, 2]), 0, w[:2])  p.index_add(w, p.to_tensor([1, 1]), 1, w[:, :2])
p.index_add(w, p.to_tensor([0, 2]), 0, w[:2], alpha=2)  p.index_fill(w, p.to_tensor([0, 2]), 1, 3.)
p.index_fill(i, p.to_tensor([0, 2]), 0, p.to_tensor(3))
p.index_put(w, (p.to_tensor([0, 2]), p.to_tensor([1, 1])), k[:2])
p.index_put(w, (p.to_tensor([0, 0]), p.to_tensor([1, 1])), k[:2], True)
p.index_put(w, (p.to_tensor([0, 0]), ), k[0], True)  p.index_put(x, (b, ), k[0])  p.masked_fill(x, b, 2.)
p.masked_fill(i, i>0, 7)  p.masked_scatter(x, b, u)  p.masked_scatter(x, b[:1], u)
p.select_scatter(x, m[:1, :1]*p.ones([2, 3]).astype(x.dtype), 1, 2)
p.slice_scatter(x, p.ones([2, 2, 3]).astype(x.dtype), [1], [0], [4], [2])  p.logspace(0, 3, 4)
p.logspace(0, 3, 4, 2., 'float64')  p.range(0, 3)  p.range(1, 2, 0.25)  p.tril_indices(3, 4)  p.triu_indices(3)
p.triu_indices(3, 4, -1, 'int32')  p.rand_like(m)  p.randn_like(m)  p.randint_like(i, 0, 5)
p.log_normal(0., 1., [3])  p.as_tensor([1., 2.])  p.asarray([1, 2])  p.from_numpy(np.ones(3))  p.is_empty(x)
p.clamp(x, -0.5, 0.5)  p.add(x, u).abs_()  p.add(x, u).lerp_(x, 0.5)  x.detach().cast_('int32')  m.detach().t_()
p.where_(b, p.add(x, u), u)  p.add(x, u).divide_(u)  p.index_add_(p.add(w, w), p.to_tensor([0, 2]), 0, w[:2])
p.masked_fill_(p.add(x, u), b, 0.)  p.add(x, u).sigmoid_()  p.add(x, u).tril_()  p.add(x, u).transpose_([2, 0, 1])
p.add(x, u).cumsum_(1)  p.add(x, u).zero_()  p.add(z, z).fill_diagonal_(2.)  p.add(w, w).fill_diagonal_(2., 1)
p.ones([5, 2]).fill_diagonal_(2., wrap=True)  x.softmax(-1)  x.sigmoid()  x.int()  x.long()  x.double()  x.bool()
x.to('float64')  x.type_as(i)  x.detach().apply(lambda t: t*2)  x.repeat(2, 1, 1)  x.new_zeros([2])
x.new_full([2], 3)  x.detach().set_(m.detach())  x.detach().resize_([2, 2])  x.split_with_sizes([1, 2], 2)
x.detach().copy_(u.detach())  p.div(x, u, rounding_mode='trunc')  p.linalg.norm(x, axis=1)  p.equal_(i.clone(), j)
p.equal(r, s)  p.not_equal(r, s)  p.greater_equal(r, s)  p.greater_than(r, s)  p.less_equal(r, s)  p.less_than(i, j)
p.floor_divide(i, j)  p.cast(x, 'float64')  p.ones_like(i)  p.acosh_(u + 1)
p.addmm_(p.mm(m[:, :2], m), m[:, :2], m)  p.baddbmm_(p.bmm(x, y), x, y)  p.digamma_(u.clone())
p.floor_divide_(i.clone(), j)  p.frac_(u.clone())  p.gammaincc_(u.clone(), u)  p.greater_equal_(i.clone(), j)
p.greater_than_(i.clone(), j)  p.i0_(u.clone())  p.less_equal_(i.clone(), j)  p.less_than_(i.clone(), j)
p.lgamma_(u.clone())  p.multigammaln_(u + 3, 2)  p.not_equal_(i.clone(), j)  p.squeeze_(v.clone())
p.increment(p.ones([1]), 2)
p.hypot(i[:2], j[:2])  p.atan2(i, j).astype('float32')  p.sum(i.astype('int32'))
p.sum(i.astype('int16'))  p.sum(j.astype('uint8'))
p.prod(i.astype('int32'), 1)  p.trace(i.astype('int32'))  p.dot(i.astype('int32'), j.astype('int32'))
p.add(x, u, alpha=2)  p.subtract(x, u, alpha=2)  p.divide(x, u, rounding_mode='floor')
p.argsort(k[0])  p.topk(k[0], 1)  p.diag(k[0])  p.unique_consecutive(k[:1])  p.inner(k[:1], k)  p.inner(k[:1], k[1:2])
p.nansum(i.astype('int32'))  p.cumsum(i.astype('int32'), 0)  p.frac(i)  p.cummax(j.astype('int32'), 1)
"""

# Paddle passes no gradient here, or one that leaves overlaps out; ours is held to differences in test_gradients.
VALUES = """
p.lerp(x, v, u)  p.lerp(x, u, h)  p.diag_embed(m)  p.diag_embed(m, 1, 0, 2)  p.diag_embed(m, -1)
p.unfold(x, 1, 2, 1)  p.masked_fill(x, b[:1], k[0])  p.diagonal_scatter(z, k)  p.diagonal_scatter(z, k[:2], 1)
p.add(z, z).fill_diagonal_tensor(k)
"""

# Paddle's number for all places is float32, and refused beside a float64 tensor.
FLOAT32 = """
p.put_along_axis(m, p.to_tensor([[0, 2], [1, 0]]), 9., 1)  p.put_along_axis(m, p.to_tensor([[0]]), 9., 1)
p.add(x, u).put_along_axis_(p.to_tensor([[[0]]]), 2., 1)
"""

LINES, KINDER, SINGLE = map(calls.lines, (CALLS, VALUES, FLOAT32))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("call", LINES)
def test_a_call_gives_paddles_numbers(paddle: ModuleType, call: str, dtype: str) -> None:
    calls.check(paddle, call, dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("call", KINDER)
def test_a_call_gives_paddles_values(paddle: ModuleType, call: str, dtype: str) -> None:
    calls.check(paddle, call, dtype, gradients=False)


@pytest.mark.parametrize("call", SINGLE)
def test_a_call_in_float32_gives_paddles_numbers(paddle: ModuleType, call: str) -> None:
    calls.check(paddle, call, "float32")


# ---- the forms that end in an underscore ---------------------------------------------------------------------------------

_CALL = re.compile(r"p\.(\w+)\((\w)([,)].*)$")
_GROWS = "p.addmm(k, m[:, :2], m"  # a vector can't hold the matrix that comes out


def _in_place() -> list[str]:
    """From ``p.name(x, …)`` above ``p.name_(x.clone(), …)``, or a method where Paddle has no such function."""
    made = []
    for call in [*FIRST, *LINES, *SINGLE]:
        found = _CALL.match(call)
        if found and not call.startswith(_GROWS):
            name, letter, rest = found.groups()
            if name in methods.IN_PLACE:
                made.append(f"p.{name}_({letter}.clone(){rest}")
            elif name in methods.IN_PLACE_METHODS:
                made.append(f"{letter}.clone().{name}_({rest.removeprefix(', ')}")
    return made


IN_PLACE = _in_place()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("call", IN_PLACE)
def test_what_is_written_in_place_is_the_functions(paddle: ModuleType, call: str) -> None:
    calls.check(paddle, call, "float32")


def test_every_function_is_called() -> None:
    """Each public function of the rows stands in a line, or is older than these tables and tested elsewhere."""
    text = " ".join([*FIRST, *LINES, *KINDER, *SINGLE, *IN_PLACE])
    elsewhere = {
        "empty",
        "empty_like",
        "gaussian",
        "randn",
        "randint",
        "randperm",
        "tolist",
        "is_complex",
        "is_integer",
    }
    elsewhere |= {"is_floating_point", "broadcast_shape", "broadcast_shapes", "zeros", "ones", "cast_"}
    elsewhere |= {
        "binomial",
        "poisson",
        "standard_gamma",
        "bernoulli_",
        "cauchy_",
        "geometric_",
        "log_normal_",
        "normal_",
    }
    assert {name for name in array_rows.__all__ if f"p.{name}(" not in text} <= elsewhere
    forms = {f"{name}_" for name in methods.IN_PLACE + methods.IN_PLACE_METHODS}
    assert {name for name in forms if f"{name}(" not in text} <= {"cast_"}


@pytest.mark.filterwarnings("ignore")
def test_in_place_a_result_of_another_shape_is_refused() -> None:
    x = lenet.ones([3])
    with pytest.raises(ValueError, match=r"add_: got a result of shape \[2, 3\], expected the tensor's own, \[3\]"):
        x.add_(lenet.ones([2, 3]))


# ---- draws ---------------------------------------------------------------------------------------------------------------

DRAWS = {  # what is drawn, its mean and its deviation
    "lenet.poisson(lenet.full([N], 3.0))": (3, 3**0.5),
    "lenet.standard_gamma(lenet.full([N], 4.0))": (4, 2),
    "lenet.binomial(lenet.full([N], 10), lenet.to_tensor(0.3))": (3, 2.1**0.5),
    "lenet.zeros([N]).exponential_(2.0)": (0.5, 0.5),
    "lenet.zeros([N]).bernoulli_(0.3)": (0.3, 0.21**0.5),
    "lenet.zeros([N]).geometric_(0.4)": (2.5, 0.6**0.5 / 0.4),
    "lenet.zeros([N]).uniform_(1.0, 3.0)": (2, 2 / 12**0.5),
    "lenet.zeros([N]).normal_(1.0, 2.0)": (1, 2),
    "lenet.zeros([N]).log_normal_(0.0, 0.5).log()": (0, 0.5),
    "lenet.zeros([N]).random_(0, 5)": (2, 2**0.5),
    "lenet.atan(lenet.zeros([N]).cauchy_())": (0, np.pi / 12**0.5),
}
N = 20000


@pytest.mark.parametrize("call", DRAWS)
def test_draws_are_distributed_as_they_should(call: str) -> None:
    found = []
    for _ in range(2):
        lenet.seed(7)
        found.append(eval(call, {"lenet": lenet, "N": N}).numpy().astype(float))
    assert np.array_equal(*found)
    mean, deviation = DRAWS[call]
    # five standard errors of a mean; the deviation's own error is of that order, too
    assert abs(found[0].mean() - mean) < 5 * deviation / N**0.5
    assert abs(found[0].std() - deviation) < 0.05 * deviation


# ---- what isn't a tensor, and mistakes -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "ask",
    [
        "p.broadcast_shape([2, 1], [3])",
        "p.broadcast_shapes([2, 1], [3], [1, 1])",
        "p.tolist(p.ones([2, 2]))",
        "p.is_floating_point(p.ones([1]))",
        "p.is_integer(p.ones([1], 'int64'))",
        "p.is_complex(p.ones([1]))",
        "(p.finfo('float32').max, p.finfo(p.float64).eps, p.finfo('float32').tiny, p.finfo('float64').bits)",
        "(p.iinfo('int8').min, p.iinfo(p.int64).max, p.iinfo('uint8').bits)",
        "repr(p.finfo('float32')) + repr(p.iinfo('int16'))",
        "(p.e, p.pi, p.inf, p.newaxis)",
        "[str(p.FloatTensor([1, 2]).dtype), list(p.LongTensor(2, 3).shape)]",
        "[p.ones([2, 3]).stride(), p.ones([2]).element_size(), p.ones([2, 3]).ndimension(), p.ones([2]).itemsize]",
        "(p.ones([2]).requires_grad, p.ones([2]).is_contiguous(), p.ones([2]).is_dense(), p.ones([2]).is_sparse())",
        "p.nn.Parameter(p.ones([2])).stop_gradient",
        "p.topk(p.to_tensor([3.0, 1.0]), 1).values.tolist()",
    ],
)
def test_plain_answers_are_paddles(paddle: ModuleType, ask: str) -> None:
    ours, theirs = (eval(ask, {"p": p}) for p in (lenet, paddle))
    assert ours == theirs


def test_the_streams_position_can_be_gone_back_to() -> None:
    state = lenet.get_rng_state()
    first = lenet.rand([3]).tolist()
    lenet.set_rng_state(state)
    assert lenet.rand([3]).tolist() == first
    with pytest.raises(ValueError, match=r"set_rng_state\(\): got"):
        lenet.set_rng_state("a")


X = lenet.ones([2, 3])
I = lenet.to_tensor([0, 5])  # noqa: E741
REFUSED: list[tuple[Any, type[Exception], str]] = [
    (lambda: lenet.quantile(X, 1.5), ValueError, r"quantile\(q\): got .*1.5, expected a number from 0 to 1"),
    (lambda: lenet.kthvalue(X, 4), ValueError, r"kthvalue\(k\): got 4, expected a whole number from 1 to"),
    (lambda: lenet.bincount(X), TypeError, r"bincount: got a tensor of float32 \[2, 3\], expected a vector"),
    (lambda: lenet.histogram(X, 0), ValueError, r"histogram\(bins\): got 0"),
    (lambda: lenet.diagonal(X, axis1=0, axis2=0), ValueError, "diagonal: got axes 0 and 0, expected two different"),
    (lambda: lenet.hstack([]), ValueError, "hstack: got none"),
    (lambda: lenet.crop(X, [3, 3]), ValueError, "crop: got shape .* expected a part inside it"),
    (lambda: lenet.unfold(X, 1, 5, 1), ValueError, "unfold: got windows of 5 every 1"),
    (lambda: lenet.take(X, lenet.to_tensor([9])), ValueError, r"take\(index\): got 9 to 9, expected -6 to 5"),
    (lambda: lenet.einsum("ij,jk->ik", X, X), ValueError, "einsum: got 'ij,jk->ik' for shapes"),
    (lambda: lenet.cross(X, X, 0), ValueError, "cross: got an axis of length 2, expected 3"),
    (lambda: lenet.inner(X, lenet.ones([2])), ValueError, "inner: got shapes"),
    (lambda: lenet.index_add(X, I, 0, X), IndexError, r"index_add\(index\): got 5, expected numbers from -2 to 1"),
    (lambda: lenet.put_along_axis(X, I, 1.0, 0), ValueError, r"put_along_axis: got indices \[2\]"),
    (lambda: lenet.masked_fill(X, X, 0.0), TypeError, r"masked_fill\(mask\): got a tensor of float32"),
    (lambda: lenet.masked_scatter(X, X > 0, X[0]), ValueError, r"masked_scatter\(value\): got 3 elements"),
    (lambda: lenet.bitwise_and(X, X), TypeError, "bitwise_and: got tensors of float32, expected whole numbers"),
    (lambda: lenet.bitwise_not(X), TypeError, "bitwise_not: got a tensor of float32"),
    (lambda: lenet.polygamma(X, -1), ValueError, r"polygamma\(n\): got -1"),
    (lambda: lenet.linalg.inv(X), ValueError, r"inv: got a tensor of shape \[2, 3\], expected square matrices"),
    (lambda: lenet.linalg.inv(lenet.zeros([2, 2])), ValueError, "inv: got matrices of which numpy says"),
    (lambda: lenet.linalg.det(I), TypeError, "det: got a tensor of int64, expected floats"),
    (lambda: lenet.finfo("int8"), TypeError, r"finfo\(\): got int8.* Type lenet.iinfo"),
    (lambda: lenet.broadcast_shape([2], [3]), ValueError, "broadcast_shape: got shapes"),
    (lambda: lenet.logspace(0, 1, 0), ValueError, "expected a whole number of at least 1"),
    (lambda: lenet.poisson(-X), ValueError, "poisson: got the number -1.0"),
    (lambda: X.to("gpu"), ValueError, r"to\(device\): got gpu"),
    (lambda: lenet.shard_index(I, 10, 2, 2), ValueError, r"shard_index\(shard_id\): got 2"),
]


@pytest.mark.parametrize(("call", "kind", "text"), REFUSED)
def test_a_mistake_is_named(call: Any, kind: type[Exception], text: str) -> None:
    with pytest.raises(kind, match=text):
        call()
