"""The embedded vector service: Qdrant's engine in one process, behind the part of Qdrant's REST API in use.

`python -m appliance.vector_service --data DIR --listen 127.0.0.1:6335` owns one Qdrant Edge shard a
collection and answers an ordinary `QdrantClient(url=...)`; a Qdrant server can take its place by URL.

What differs from a Qdrant server, on purpose:

* Every request field, parameter and condition that is not known is refused with 400, never ignored.
* A collection created with metadata `{"tenant": FIELD}` answers no query, scroll, count or
  delete-by-filter without a `must` condition that names one tenant, and holds no point without one.
  Collections named `passages...` cannot be created otherwise.
* `verify_index` compares the whole index with SQL. It sends the header `x-scope: verify`, which opens
  scroll, count and retrieve (not query) of a tenant collection across tenants, without vectors and
  with no payload but the tenant field. A Qdrant server ignores the header.
* An acknowledged write with `wait=true` has been flushed to disk.
"""
