"""Writing one safetensors file, byte for byte the same from the same tensors.

The container is an 8-byte little-endian length, a JSON header and the raw tensors. It is written
here because numpy has no bfloat16 type, which the library's numpy writer would need.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """A tensor and the name of its type in the file; BF16 is given as its uint16 bit patterns."""

    name: str
    dtype: Literal["BF16", "F32", "I8"]
    values: NDArray[np.generic]


def write_safetensors(path: Path, tensors: Iterable[StoredTensor]) -> None:
    """Write the tensors in the order of their names, atomically (a half-written file never has the name)."""
    ordered = sorted(tensors, key=lambda tensor: tensor.name)
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    offset = 0
    for tensor in ordered:
        size = tensor.values.nbytes
        header[tensor.name] = {
            "dtype": tensor.dtype,
            "shape": list(tensor.values.shape),
            "data_offsets": [offset, offset + size],
        }
        offset += size
    head = json.dumps(header, separators=(",", ":")).encode()
    head += b" " * (-len(head) % 8)  # tensors start on an 8-byte boundary
    partial = path.with_suffix(".partial")
    with partial.open("wb") as file:
        file.write(len(head).to_bytes(8, "little"))
        file.write(head)
        for tensor in ordered:
            file.write(tensor.values.astype(tensor.values.dtype.newbyteorder("<"), order="C").tobytes())
    partial.replace(path)
