"""Reading the weights of a Llama-shaped model out of a GGUF file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

_TOP: Final = {
    "token_embd.weight": "model.embed_tokens.weight",
    "output_norm.weight": "model.norm.weight",
    "output.weight": "lm_head.weight",
}
_LAYER: Final = {
    "attn_norm": "input_layernorm",
    "ffn_norm": "post_attention_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}


class UnsupportedWeightsError(Exception):
    """The GGUF file does not hold a Llama-shaped model. The message names the part."""


@dataclass(frozen=True, slots=True)
class GgufModel:
    """An opened GGUF file: its metadata and its tensors, still packed."""

    metadata: dict[str, Any]
    tensors: tuple[Any, ...]


def open_gguf(path: Path) -> GgufModel:
    """Open a GGUF file; tensors stay on disk until they are asked for.

    Raises:
        UnsupportedWeightsError: the architecture is not llama.
    """
    from gguf import GGUFReader  # development dependency, needed here only

    reader = GGUFReader(path)
    metadata = {name: field.contents() for name, field in reader.fields.items()}
    if metadata.get("general.architecture") != "llama":
        raise UnsupportedWeightsError(f"architecture {metadata.get('general.architecture')!r}")
    return GgufModel(metadata, tuple(reader.tensors))


def checkpoint_name(gguf_name: str) -> str:
    """Return the tensor's name in a Hugging Face Llama checkpoint.

    Raises:
        UnsupportedWeightsError: a Llama model has no such tensor.
    """
    if gguf_name in _TOP:
        return _TOP[gguf_name]
    match gguf_name.split("."):
        case ["blk", number, part, "weight"] if part in _LAYER and number.isdecimal():
            return f"model.layers.{number}.{_LAYER[part]}.weight"
    raise UnsupportedWeightsError(f"tensor {gguf_name}")


def unpermute(weight: NDArray[np.float32], heads: int) -> NDArray[np.float32]:
    """Return q or k rows in checkpoint order.

    GGUF interleaves the two rotary halves of each head; a checkpoint keeps them one after the other.
    """
    rows, columns = weight.shape
    return weight.reshape(heads, rows // heads // 2, 2, columns).swapaxes(1, 2).reshape(rows, columns)


def float_tensors(model: GgufModel) -> Iterator[tuple[str, NDArray[np.float32]]]:
    """Yield each tensor as (checkpoint name, float32 values of shape (out, in))."""
    from gguf import dequantize

    heads = int(model.metadata["llama.attention.head_count"])
    key_heads = int(model.metadata["llama.attention.head_count_kv"])
    for tensor in model.tensors:
        values = np.asarray(dequantize(tensor.data, tensor.tensor_type), dtype=np.float32)
        values = values.reshape(tuple(reversed([int(size) for size in tensor.shape])))
        name = checkpoint_name(tensor.name)
        if name.endswith("q_proj.weight"):
            values = unpermute(values, heads)
        elif name.endswith("k_proj.weight"):
            values = unpermute(values, key_heads)
        yield name, values
