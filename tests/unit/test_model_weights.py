"""Quantisation keeps the numbers, and the same weights always give the same bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from gguf import GGUFWriter
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from safetensors import safe_open
from tokenizers import Tokenizer

from appliance.model_server.llama_gguf import UnsupportedWeightsError, checkpoint_name, open_gguf, unpermute
from appliance.model_server.manifest import LANGUAGE_MODEL_FILES, write_manifest
from appliance.model_server.prepare import write_checkpoint
from appliance.model_server.quantise import as_bfloat16, quantise_rows

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

# The least of a float16 weight upward: smaller ones have no place in a trained model.
FLOATS = st.floats(-1000, 1000, width=32).filter(lambda value: value == 0 or abs(value) > 1e-5)
WORDS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "1", "2", "a", "b", "ab"]


@given(arrays(np.float32, (3, 8), elements=FLOATS))
def test_each_weight_comes_back_within_half_a_step(weight: NDArray[np.float32]) -> None:
    quantised, scale = quantise_rows(weight)
    assert quantised.dtype == np.int8
    assert scale.shape == (3, 1)
    assert np.all(np.abs(quantised * scale - weight) <= scale * 0.5001)
    assert quantised.min() >= -127


@given(arrays(np.float32, (8,), elements=FLOATS))
def test_sixteen_bits_keep_eight_bits_of_precision(values: NDArray[np.float32]) -> None:
    back = (as_bfloat16(values).astype(np.uint32) << 16).view(np.float32)
    assert np.all(np.abs(back - values) <= np.abs(values) * 2.0**-8)


@given(st.integers(1, 4), st.integers(1, 4))
def test_unpermute_undoes_the_interleaving_of_rotary_halves(heads: int, half: int) -> None:
    weight = np.arange(heads * half * 2 * 3, dtype=np.float32).reshape(heads * half * 2, 3)
    interleaved = weight.reshape(heads, 2, half, 3).swapaxes(1, 2).reshape(weight.shape)
    assert np.array_equal(unpermute(interleaved, heads), weight)


def test_tensor_names_are_those_of_a_checkpoint() -> None:
    assert checkpoint_name("blk.7.ffn_down.weight") == "model.layers.7.mlp.down_proj.weight"
    with pytest.raises(UnsupportedWeightsError):
        checkpoint_name("blk.7.ffn_gate_exps.weight")


def tiny_gguf(path: Path, architecture: str = "llama") -> Path:
    random = np.random.default_rng(7)
    writer = GGUFWriter(path, architecture)
    writer.add_block_count(1)
    writer.add_context_length(32)
    writer.add_embedding_length(8)
    writer.add_feed_forward_length(16)
    writer.add_head_count(2)
    writer.add_head_count_kv(1)
    writer.add_rope_freq_base(10000.0)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(len(WORDS))
    writer.add_rope_dimension_count(4)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(WORDS)
    writer.add_token_types([3, 3, 3, 1, 1, 1, 1, 1])
    writer.add_token_merges(["a b"])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_pad_token_id(2)
    writer.add_chat_template("{{ messages }}")
    shapes = {
        "token_embd": (8, 8), "output_norm": (8,), "blk.0.attn_norm": (8,), "blk.0.ffn_norm": (8,),
        "blk.0.attn_q": (8, 8), "blk.0.attn_k": (4, 8), "blk.0.attn_v": (4, 8), "blk.0.attn_output": (8, 8),
        "blk.0.ffn_gate": (16, 8), "blk.0.ffn_up": (16, 8), "blk.0.ffn_down": (8, 16),
    }  # fmt: skip
    for name, shape in shapes.items():
        writer.add_tensor(f"{name}.weight", random.standard_normal(shape).astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def checkpoint(folder: Path, gguf: Path) -> str:
    folder.mkdir()
    write_checkpoint(open_gguf(gguf), folder)
    return write_manifest(folder, name="", licence="", source="", allowed=LANGUAGE_MODEL_FILES)


def test_preparing_twice_gives_the_same_digest(tmp_path: Path) -> None:
    gguf = tiny_gguf(tmp_path / "tiny.gguf")
    assert checkpoint(tmp_path / "one", gguf) == checkpoint(tmp_path / "two", gguf)


def test_the_safetensors_file_is_one_that_its_library_reads(tmp_path: Path) -> None:
    checkpoint(tmp_path / "one", tiny_gguf(tmp_path / "tiny.gguf"))
    with safe_open(tmp_path / "one" / "model.safetensors", "numpy") as file:
        gate = "model.layers.0.mlp.gate_proj.weight"
        assert file.get_tensor(gate).dtype == np.int8
        assert file.get_tensor(f"{gate}_scale").shape == (16, 1)
        assert file.get_slice("model.embed_tokens.weight").get_dtype() == "BF16"
        assert len(file.keys()) == 4 + 7 * 2


def test_the_tokenizer_keeps_each_digit_apart_and_control_words_whole(tmp_path: Path) -> None:
    checkpoint(tmp_path / "one", tiny_gguf(tmp_path / "tiny.gguf"))
    tokenizer = Tokenizer.from_file(str(tmp_path / "one" / "tokenizer.json"))
    assert tokenizer.encode("<|im_start|>ab12").tokens == ["<|im_start|>", "ab", "1", "2"]


def test_weights_of_another_shape_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedWeightsError, match="architecture"):
        open_gguf(tiny_gguf(tmp_path / "tiny.gguf", "bert"))
