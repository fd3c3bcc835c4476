"""What a collection is: vectors, graph settings, payload indexes, tenant field; kept beside its shard."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final, Literal

import msgspec
import qdrant_edge as edge

from appliance.vector_service.wire import RefusedError, Strict, engine_values

if TYPE_CHECKING:
    from pathlib import Path

NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
TENANT_ONLY: Final = "passages"  # collections whose names begin so hold patients' passages


class Graph(Strict, frozen=True, omit_defaults=True):
    """HNSW settings.

    With `m=0` and `payload_m` a search without the tenant filter silently finds a tenth of the answers.
    """

    m: int | None = None
    payload_m: int | None = None
    ef_construct: int | None = None
    full_scan_threshold: int | None = None


class Dense(Strict, frozen=True, omit_defaults=True):
    """A dense vector's parameters."""

    size: int
    distance: Literal["Cosine", "Euclid", "Dot", "Manhattan"]
    hnsw_config: Graph | None = None


class SparseIndex(Strict, frozen=True):
    """No parameter of the sparse index is settable here."""


class SparseParams(Strict, frozen=True, omit_defaults=True):
    """A sparse vector's parameters."""

    index: SparseIndex | None = None
    modifier: Literal["idf"] | None = None


class KeywordIndex(Strict, frozen=True, omit_defaults=True):
    """A keyword index with parameters."""

    type: Literal["keyword"]
    is_tenant: bool | None = None
    enable_hnsw: bool | None = None


FieldSchema = Literal["keyword", "integer"] | KeywordIndex


class CreateIndex(Strict, frozen=True):
    """PUT index."""

    field_name: str
    field_schema: FieldSchema


class Metadata(Strict, frozen=True, omit_defaults=True):
    """What a collection's creator may note: the tenant field and the embedder's digest."""

    tenant: str | None = None
    embedder: str | None = None


class Create(Strict, frozen=True):
    """PUT collection."""

    vectors: dict[str, Dense]
    sparse_vectors: dict[str, SparseParams] = {}
    hnsw_config: Graph | None = None
    metadata: Metadata | None = None


class Spec(Strict, frozen=True):
    """A collection as kept on disk; `generation` names the folder of the shard in use."""

    create: Create
    indexes: dict[str, FieldSchema] = {}
    generation: int = 1

    @property
    def tenant(self) -> str | None:
        """The payload field every read must fix, if this is a tenant collection."""
        return self.create.metadata.tenant if self.create.metadata else None

    def with_index(self, field: str, schema: FieldSchema) -> Spec:
        """Return the spec with one more payload index."""
        return msgspec.structs.replace(self, indexes={**self.indexes, field: schema})

    def with_generation(self, generation: int) -> Spec:
        """Return the spec pointing at another shard folder."""
        return msgspec.structs.replace(self, generation=generation)


def check_create(name: str, create: Create) -> None:
    """Refuse a collection that could be read without its tenant, or whose vectors make no sense."""
    tenant = create.metadata.tenant if create.metadata else None
    if name.startswith(TENANT_ONLY) and not tenant:
        raise RefusedError(400, f'a collection named {TENANT_ONLY}... needs metadata {{"tenant": FIELD}}')
    if any(not 1 <= dense.size <= 65_536 for dense in create.vectors.values()):
        raise RefusedError(400, "a vector has 1..65536 dimensions")
    if set(create.vectors) & set(create.sparse_vectors):
        raise RefusedError(400, "a dense and a sparse vector share a name")


def _graph(graph: Graph | None) -> edge.HnswIndexConfig | None:
    if graph is None:
        return None
    return edge.HnswIndexConfig(
        m=16 if graph.m is None else graph.m,
        ef_construct=graph.ef_construct or 100,
        full_scan_threshold=graph.full_scan_threshold or 10_000,
        payload_m=graph.payload_m,
        max_indexing_threads=1,
    )


def engine_config(create: Create) -> edge.EdgeConfig:
    """Return the engine's configuration, with a write-ahead log."""
    return edge.EdgeConfig(
        vectors={
            name: edge.EdgeVectorParams(
                size=dense.size,
                distance=getattr(edge.Distance, dense.distance),
                hnsw_config=_graph(dense.hnsw_config),
            )
            for name, dense in create.vectors.items()
        },
        sparse_vectors={
            name: edge.EdgeSparseVectorParams(modifier=edge.Modifier.Idf if sparse.modifier else None)
            for name, sparse in create.sparse_vectors.items()
        },
        hnsw_config=_graph(create.hnsw_config),
        wal_enabled=True,
    )


def engine_index(field: str, schema: FieldSchema) -> edge.UpdateOperation:
    """Return the operation that builds a payload index; the same index twice is harmless.

    Raises:
        RefusedError: 400; the engine cannot parse the field's name.
    """
    with engine_values():
        return _index_operation(field, schema)


def _index_operation(field: str, schema: FieldSchema) -> edge.UpdateOperation:
    if isinstance(schema, KeywordIndex):
        params = edge.KeywordIndexParams(is_tenant=schema.is_tenant, enable_hnsw=schema.enable_hnsw)
        return edge.UpdateOperation.create_field_index(field, params)
    kind = edge.PayloadSchemaType.Keyword if schema == "keyword" else edge.PayloadSchemaType.Integer
    return edge.UpdateOperation.create_field_index(field, kind)


def read_spec(folder: Path) -> Spec:
    """Read a collection's spec."""
    return msgspec.json.decode((folder / "spec.json").read_bytes(), type=Spec)


def write_spec(folder: Path, spec: Spec) -> None:
    """Replace a collection's spec durably: all of it or nothing."""
    draft = folder / "spec.json.new"
    with draft.open("wb") as file:
        file.write(msgspec.json.encode(spec))
        file.flush()
        os.fsync(file.fileno())
    draft.replace(folder / "spec.json")
    sync_folder(folder)


def sync_folder(folder: Path) -> None:
    """Flush a folder's entries to disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
