"""The link between web node and model node carries drafts, and nothing of anybody else."""

from __future__ import annotations

import ssl
import time
from contextlib import closing
from http.client import HTTPSConnection
from typing import TYPE_CHECKING

import pytest

from appliance.backends.vllm import VllmChatModel
from clinical.domain.prompt import Prompt
from clinical.ports import BackendUnavailableError
from tests.contracts.two_nodes import KEY, NGINX, End, ModelServer, free_port, kit, place_model, place_web

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is not installed (Debian package nginx-light)")
PROMPT = Prompt(system="s", user="u")


class Nodes:
    """A model node that runs, and whatever the test puts in front of it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.made = kit(folder / "made")
        (folder / "model").mkdir()
        self.server = ModelServer(folder / "model/vllm.sock")
        self.ends: list[End] = []
        self.models: list[VllmChatModel] = []

    def model_node(self, made: Path | None = None, **given: object) -> None:
        self.ends.append(End("model", place_model(self.folder / "model", made or self.made), self.port, **given))

    def web_node(self, made: Path | None = None) -> VllmChatModel:
        end = End("web", place_web(self.folder / "web", made or self.made), self.port)
        self.ends.append(end)
        model = VllmChatModel(url=f"unix://{end.socket}", model="site", api_key=KEY, timeout_s=20, digest="")
        self.models.append(model)
        return model

    def ask(self, path: str, certificate: tuple[Path, Path] | None, *, latest: ssl.TLSVersion | None = None) -> int:
        """Return the status of a call made straight to the model node's port."""
        context = ssl.create_default_context(cafile=str(self.made / "tls/link-authority.pem"))
        context.check_hostname = False
        if certificate:
            context.load_cert_chain(*map(str, certificate))
        if latest:
            context.maximum_version = latest
        with closing(HTTPSConnection("127.0.0.1", self.port, context=context, timeout=10)) as call:
            call.request("GET", path, headers={"Authorization": f"Bearer {KEY}"})
            with call.getresponse() as reply:
                return reply.status


def of_kit(made: Path) -> tuple[Path, Path]:
    return made / "kit/certificate.pem", made / "kit/key.pem"


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[Nodes]:
    made = Nodes(tmp_path)
    yield made
    for model in made.models:
        model.close()
    for end in made.ends:
        end.stop()
    made.server.shutdown()
    made.server.server_close()


def test_a_draft_comes_through_piece_by_piece(nodes: Nodes) -> None:
    nodes.model_node()
    model = nodes.web_node()
    nodes.server.pieces = 10
    assert model.ready()
    arrived = [(piece, time.monotonic()) for piece in model.stream(PROMPT, max_tokens=20, seed=1)]
    assert "".join(piece for piece, _ in arrived) == "0 1 2 3 4 5 6 7 8 9 "
    # The stand-in takes half a second for all of it: a first piece that waits for the last was held back on the way.
    assert arrived[-1][1] - arrived[0][1] > 0.2


def test_a_draft_that_is_broken_off_stops_at_the_model_server_too(nodes: Nodes) -> None:
    nodes.model_node()
    nodes.server.pieces = 200
    stream = nodes.web_node().stream(PROMPT, max_tokens=500, seed=1)
    assert next(iter(stream)) == "0 "
    stream.close()
    assert nodes.server.broken_off.wait(timeout=3)


def test_a_model_node_that_is_away_is_no_draft_and_back_without_a_restart(nodes: Nodes) -> None:
    model = nodes.web_node()
    assert not model.ready()
    with pytest.raises(BackendUnavailableError, match="status_502"):
        model.stream(PROMPT, max_tokens=5, seed=1)
    nodes.model_node()
    assert model.ready()


def stranger(nodes: Nodes) -> tuple[Path, Path] | None:
    return of_kit(kit(nodes.folder / "stranger"))


def namesake(nodes: Nodes) -> tuple[Path, Path] | None:
    """Another machine that the same authority has signed for."""
    other = kit(nodes.folder / "other")
    for name in ("tls/link-authority.pem", "keys/link_authority_key"):
        (other / name).write_bytes((nodes.made / name).read_bytes())
    return of_kit(kit(other, client="not-appliance-web"))


def nobody(_nodes: Nodes) -> tuple[Path, Path] | None:
    return None


def the_model_node_itself(nodes: Nodes) -> tuple[Path, Path] | None:
    return nodes.made / "tls/link-certificate.pem", nodes.made / "keys/link_key"


@pytest.mark.parametrize(
    ("who", "status"), [(nobody, 400), (stranger, 400), (the_model_node_itself, 400), (namesake, 403)]
)
def test_whoever_does_not_show_the_web_node_s_certificate_is_refused(
    nodes: Nodes, who: Callable[[Nodes], tuple[Path, Path] | None], status: int
) -> None:
    nodes.model_node()
    assert nodes.ask("/v1/models", of_kit(nodes.made)) == 200
    nodes.server.asked.clear()
    assert nodes.ask("/v1/models", who(nodes)) == status
    assert nodes.server.asked == []


def test_the_right_certificate_from_another_address_is_refused(nodes: Nodes) -> None:
    nodes.model_node(appliance_web_node="127.0.0.9")
    assert nodes.ask("/v1/models", of_kit(nodes.made)) == 403
    assert nodes.server.asked == []


@pytest.mark.parametrize("path", ["/metrics", "/tokenize", "/v1/embeddings", "/v1/models/../../metrics", "/"])
def test_the_link_carries_two_calls_and_no_other_route_of_the_server(nodes: Nodes, path: str) -> None:
    nodes.model_node()
    assert nodes.ask(path, of_kit(nodes.made)) == 404
    assert nodes.server.asked == []


def test_an_older_tls_is_refused(nodes: Nodes) -> None:
    nodes.model_node()
    with pytest.raises(ssl.SSLError):
        nodes.ask("/v1/models", of_kit(nodes.made), latest=ssl.TLSVersion.TLSv1_2)


@pytest.mark.parametrize("other", ["another authority", "another name"])
def test_the_web_node_sends_nothing_to_a_model_node_that_is_not_the_one(nodes: Nodes, other: str) -> None:
    false = kit(nodes.folder / "false")
    if other == "another name":
        for name in ("tls/link-authority.pem", "keys/link_authority_key"):
            (false / name).write_bytes((nodes.made / name).read_bytes())
        kit(false, server="not-appliance-model")
    else:  # it would let the web node in
        place = false / "tls/link-authority.pem"
        place.write_bytes(place.read_bytes() + (nodes.made / "tls/link-authority.pem").read_bytes())
    nodes.model_node(false)
    model = nodes.web_node()
    assert not model.ready()
    with pytest.raises(BackendUnavailableError, match="status_502"):
        model.stream(PROMPT, max_tokens=5, seed=1)
    assert nodes.server.asked == []


def test_a_second_run_of_the_script_renews_by_the_same_authority(nodes: Nodes) -> None:
    before = {name: (nodes.made / name).read_bytes() for name in ("tls/link-authority.pem", "kit/certificate.pem")}
    kit(nodes.made)
    after = {name: (nodes.made / name).read_bytes() for name in before}
    assert after["tls/link-authority.pem"] == before["tls/link-authority.pem"]
    assert after["kit/certificate.pem"] != before["kit/certificate.pem"]
    assert all((path.stat().st_mode & 0o077) == 0 for path in (nodes.made / "kit").iterdir())
