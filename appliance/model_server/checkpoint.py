"""The small JSON files of a checkpoint folder, rebuilt from GGUF metadata."""

from __future__ import annotations

from typing import Any, Final

_CONTROL: Final = 3  # GGUF token type of tokens that are never text

# How the served weights are packed, in the form vLLM's compressed-tensors loader reads.
_PACKING: Final[dict[str, Any]] = {
    "quant_method": "compressed-tensors",
    "format": "int-quantized",
    "quantization_status": "compressed",
    "kv_cache_scheme": None,
    "ignore": ["lm_head"],
    "config_groups": {
        "group_0": {
            "targets": ["Linear"],
            "weights": {
                "num_bits": 8,
                "type": "int",
                "symmetric": True,
                "strategy": "channel",
                "dynamic": False,
            },
            "input_activations": {
                "num_bits": 8,
                "type": "int",
                "symmetric": True,
                "strategy": "token",
                "dynamic": True,
            },
            "output_activations": None,
        },
    },
}


def model_config(metadata: dict[str, Any], *, tied: bool) -> dict[str, Any]:
    """Return config.json for int8 W8A8 weights.

    Args:
        metadata: the GGUF key-value pairs.
        tied: whether the output layer shares the embedding's weights.
    """
    theta = float(metadata["llama.rope.freq_base"])
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "dtype": "bfloat16",
        "hidden_act": "silu",
        "hidden_size": int(metadata["llama.embedding_length"]),
        "intermediate_size": int(metadata["llama.feed_forward_length"]),
        "num_hidden_layers": int(metadata["llama.block_count"]),
        "num_attention_heads": int(metadata["llama.attention.head_count"]),
        "num_key_value_heads": int(metadata["llama.attention.head_count_kv"]),
        "head_dim": int(metadata["llama.rope.dimension_count"]),
        "max_position_embeddings": int(metadata["llama.context_length"]),
        # stored as a 32-bit float: 1e-05 comes back as 9.99999974e-06
        "rms_norm_eps": float(f"{metadata['llama.attention.layer_norm_rms_epsilon']:.6g}"),
        "rope_theta": theta,
        "rope_parameters": {"rope_type": "default", "rope_theta": theta},
        "attention_bias": False,
        "mlp_bias": False,
        "tie_word_embeddings": tied,
        "vocab_size": int(metadata["llama.vocab_size"]),
        "quantization_config": _PACKING,
        **_token_ids(metadata),
    }


def generation_config(metadata: dict[str, Any]) -> dict[str, Any]:
    """Return generation_config.json: where generation starts and stops, no sampling defaults."""
    return {"do_sample": False, **_token_ids(metadata)}


def tokenizer(metadata: dict[str, Any]) -> dict[str, Any]:
    """Return tokenizer.json: byte-level BPE, each digit a token of its own.

    Raises:
        ValueError: the tokenizer is of another family than the one rebuilt here.
    """
    family = (metadata["tokenizer.ggml.model"], metadata["tokenizer.ggml.pre"])
    if family != ("gpt2", "smollm"):
        raise ValueError(f"tokenizer {family} is not supported")
    words = metadata["tokenizer.ggml.tokens"]
    kinds = metadata["tokenizer.ggml.token_type"]
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {
                "id": number,
                "content": word,
                "single_word": False,
                "lstrip": False,
                "rstrip": False,
                "normalized": False,
                "special": True,
            }
            for number, (word, kind) in enumerate(zip(words, kinds, strict=True))
            if kind == _CONTROL
        ],
        "normalizer": None,
        "pre_tokenizer": {
            "type": "Sequence",
            "pretokenizers": [{"type": "Digits", "individual_digits": True}, byte_level],
        },
        "post_processor": None,
        "decoder": byte_level,
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": False,
            "vocab": {word: number for number, word in enumerate(words)},
            "merges": metadata["tokenizer.ggml.merges"],
        },
    }


def tokenizer_config(metadata: dict[str, Any]) -> dict[str, Any]:
    """Return tokenizer_config.json with the chat template of the weights."""
    words = metadata["tokenizer.ggml.tokens"]
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": int(metadata["llama.context_length"]),
        "clean_up_tokenization_spaces": False,
        "add_prefix_space": False,
        "bos_token": words[metadata["tokenizer.ggml.bos_token_id"]],
        "eos_token": words[metadata["tokenizer.ggml.eos_token_id"]],
        "unk_token": words[metadata["tokenizer.ggml.unknown_token_id"]],
        "pad_token": words[metadata["tokenizer.ggml.padding_token_id"]],
        "chat_template": metadata["tokenizer.chat_template"],
    }


def _token_ids(metadata: dict[str, Any]) -> dict[str, int]:
    return {
        "bos_token_id": int(metadata["tokenizer.ggml.bos_token_id"]),
        "eos_token_id": int(metadata["tokenizer.ggml.eos_token_id"]),
        "pad_token_id": int(metadata["tokenizer.ggml.padding_token_id"]),
    }
