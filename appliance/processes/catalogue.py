"""The processes of the embedded profile, derived from the configuration."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import httpx

from appliance.config import ROOT, environment
from appliance.egress import listens, on_site_client
from appliance.processes.spec import ProcessSpec

if TYPE_CHECKING:
    from appliance.config import Config


def child_environment() -> dict[str, str]:
    """Return the environment of our own processes: this one's, as the demo, with telemetry off."""
    # Many threads would each keep a heap of their own; two are enough and save a third of the memory.
    return {**environment(), "APPLIANCE_DEMO": "true", "MALLOC_ARENA_MAX": "2"}


def redis(settings: Config) -> ProcessSpec:
    """Return the queue: a Redis of our own that appends to disk, on loopback or a Unix socket."""
    folder = settings.var / "redis"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    address = urlsplit(settings.redis_url)
    where = ["--port", str(address.port or 6379), "--bind", address.hostname or "127.0.0.1"]
    if address.scheme in {"unix", "redis+socket"}:
        where = ["--port", "0", "--unixsocket", unquote(address.path), "--unixsocketperm", "700"]
    options = ["--dir", str(folder.resolve()), "--appendonly", "yes", "--save", "", "--loglevel", "warning"]
    return ProcessSpec(
        name="redis",
        argv=("redis-server", *where, *options, "--protected-mode", "yes"),
        environment=environment(),
        address=settings.redis_url,
        ready=lambda: listens(settings.redis_url),
    )


def vectors(settings: Config) -> ProcessSpec:
    """Return the embedded vector service."""
    address = urlsplit(settings.vector_url)
    listen = f"{address.hostname}:{address.port or 6333}"
    if address.scheme == "unix":
        listen = f"unix:{unquote(address.path)}"
    data = settings.var.resolve() / "vectors"
    return ProcessSpec(
        name="vectors",
        argv=(sys.executable, "-m", "appliance.vector_service", "--data", str(data), "--listen", listen),
        environment=child_environment(),
        folder=ROOT,
        address=settings.vector_url,
        ready=lambda: listens(settings.vector_url),
    )


def worker() -> ProcessSpec:
    """Return the one Celery worker, which also sends the sweeper by its clock."""
    options = (
        "--concurrency",
        "1",
        "--loglevel",
        "WARNING",
        "--without-gossip",
        "--without-mingle",
    )
    return ProcessSpec(
        name="worker",
        argv=(sys.executable, "-m", "celery", "--app", "appliance.celery", "worker", *options),
        environment=child_environment(),
        folder=ROOT,
        address="",
        ready=lambda: True,
    )


def web(settings: Config) -> ProcessSpec:
    """Return the people's door: one process of 128 threads, each of which can carry an event stream."""
    return _door("web", settings, port=settings.port, threads=128)


def machines(settings: Config) -> ProcessSpec:
    """Return the machines' door: few threads, because its answers are short."""
    return _door("machines", settings, port=settings.machine_port, threads=16)


def mllp(settings: Config) -> ProcessSpec:
    """Return the HL7 v2 door."""
    address = f"mllp://{settings.mllp_host or settings.host}:{settings.mllp_port}"
    return ProcessSpec(
        name="mllp",
        argv=(sys.executable, str(ROOT / "manage.py"), "mllp"),
        environment=child_environment(),
        folder=ROOT,
        address=address,
        ready=lambda: listens(address),
    )


def _door(name: str, settings: Config, *, port: int, threads: int) -> ProcessSpec:
    url = f"http://{settings.host}:{port}"
    options = {
        "--bind": f"{settings.host}:{port}",
        "--workers": "1",
        "--worker-class": "gthread",
        "--threads": str(threads),
        "--graceful-timeout": "3",
        "--log-level": "warning",
    }
    given = [word for pair in options.items() for word in pair]
    return ProcessSpec(
        name=name,
        argv=(
            sys.executable, "-m", "gunicorn", "appliance.wsgi:application", *given, "--no-control-socket",
        ),
        environment={**child_environment(), "APPLIANCE_DOOR": "people" if name == "web" else "machines"},
        folder=ROOT,
        address=url,
        ready=lambda: answers(url, "/healthz"),
    )  # fmt: skip


def answers(url: str, path: str) -> bool:
    """Return whether an on-site address replies to GET with 200, within a second."""
    try:
        with on_site_client(url, timeout_s=1.0) as client:
            return client.get(path).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False
