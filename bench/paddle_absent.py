"""Why a name of Paddle's is absent here: a reason a name, never a guess from letters in it. Read by ``paddle_names``."""

from __future__ import annotations

import re

__all__ = ["NAMESPACES", "reason"]

# What is said of a namespace's absent names that no line below tells of; "" where there are none.
NAMESPACES = {
    "": "",
    "nn": "",
    "nn.functional": "",
    "nn.initializer": "rare first values",
    "nn.utils": "layers whose weight is computed anew at every call",
    "optimizer": "rules that small networks don't need",
    "optimizer.lr": "",
    "linalg": "decompositions that numpy hasn't",
    "metric": "",
    "io": "",
    "regularizer": "",
    "static": "static programs: everything here runs as it is written",
    "jit": "",
    "utils": "",
    "callbacks": "",
    "vision.transforms": "",
    "vision.datasets": "sets that aren't of small images",
    "vision.models": "networks for 224×224 images",
}

# A reason, and the names it goes for: whole names, or patterns of whole names.
REASONS = {
    "complex numbers": "angle as_complex as_real complex complex64 complex128 cfloat cdouble conj imag polar real "
    "view_as_complex view_as_real Tensor.eig Tensor.eigvals eig eigvals",
    "graphics cards and other devices": "CUDAPinnedPlace CUDAPlace XPUPinnedPlace get_cuda_rng_state set_cuda_rng_state "
    "Tensor.cuda cuda_places xpu_places ipu_shard_guard set_ipu_shard IpuCompiledProgram IpuStrategy",
    "half precision": "float16 bfloat16 half HalfTensor BFloat16Tensor float8_e4m3fn float8_e5m2 autocast get_autocast_\\w+ "
    "is_autocast_enabled fp8_fp8_half_gemm_fused",
    "one- and three-dimensional layers": "(?!atleast)\\w*[13][dD](_transpose|Transpose)?",
    "recurrent networks and attention": "(Bi)?RNN GRU LSTM SimpleRNN GRUCell LSTMCell SimpleRNNCell RNNCellBase "
    "MultiHeadAttention Transformer\\w* BeamSearchDecoder dynamic_decode gather_tree flash\\w+ scaled_dot_product_attention "
    "sparse_attention",
    "losses of sequences and of very many classes": "CTCLoss RNNTLoss HSigmoidLoss AdaptiveLogSoftmaxWithLoss ctc_loss rnnt_loss "
    "hsigmoid_loss adaptive_log_softmax_with_loss margin_cross_entropy class_center_sample",
    "language models": "moe_permute moe_unpermute Tensor.top_p_sampling",
    "kernels that Paddle has for graphics cards alone": "rms_norm",
    "rare pooling": "FractionalMaxPool2D LPPool2D LPPool2d MaxUnPool2D fractional_max_pool2d lp_pool2d max_unpool2d",
    "sparse tensors": "Tensor.(coalesce cols crows dense_dim indices is_coalesced is_selected_rows is_sparse_coo is_sparse_csr "
    "nnz rows sparse_dim to_dense to_sparse_coo to_sparse_csr values get_selected_rows)",
    "tensors that share memory": "as_strided from_dlpack to_dlpack MmapStorage Tensor.data_ptr Tensor.reconstruct_from_",
    "types that Paddle itself hardly computes with": "uint16 uint32 uint64 pstring raw",
    "Fourier transforms": "Tensor.stft Tensor.istft",
    "decompositions that numpy hasn't": "Tensor.(householder_product lu lu_unpack ormqr pca_lowrank svd_lowrank)",
    "a list comes first, so no method": "Tensor.multi_dot",
    "Paddle's own machinery": "LazyGuard check_shape get_flags set_flags enable_compat disable_compat Tensor.(create_tensor "
    "get_map_tensor get_tensor set_tensor set_string_list set_vocab is_dist)",
}


def _patterns(text: str) -> list[re.Pattern[str]]:
    grouped = re.sub(r"Tensor\.\(([^)]*)\)", lambda m: " ".join(f"Tensor.{n}" for n in m.group(1).split()), text)
    return [re.compile(word) for word in grouped.split()]


_KNOWN = [(why, _patterns(text)) for why, text in REASONS.items()]


def reason(space: str, name: str) -> str:
    """Why the name is absent. KeyError where nobody has said."""
    for why, patterns in _KNOWN:
        if any(pattern.fullmatch(name) for pattern in patterns):
            return why
    if not NAMESPACES[space]:
        raise KeyError(f"{space}.{name} is absent, and bench/paddle_absent.py doesn't say why")
    return NAMESPACES[space]
