"""Both nodes' ends of the link on this machine: nginx as it is configured, and a stand-in for the model server."""

from __future__ import annotations

import os
import shutil
import socket
import socketserver
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, Final

from tests.site_variables import ANSIBLE, answers, rendered, variables

NGINX: Final = shutil.which("nginx", path=os.pathsep.join([*os.get_exec_path(), "/usr/sbin"]))
KEY: Final = "5a" * 32
_KIT: Final = ANSIBLE / "roles/vllm/files/make_link_kit.sh"


class ModelServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """Speaks as much of vLLM's language as a draft needs, a piece each 50 ms; remembers who asked for what."""

    daemon_threads = True

    def __init__(self, path: Path) -> None:
        super().__init__(str(path), _Answer)
        self.asked: list[str] = []
        self.broken_off = threading.Event()
        self.pieces = 3
        threading.Thread(target=self.serve_forever, daemon=True).start()


class _Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: ModelServer

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        allowed = self.headers["Authorization"] == f"Bearer {KEY}"
        self._say(200 if allowed else 401, b'{"data": [{"id": "site"}]}')

    def do_POST(self) -> None:
        self.server.asked.append(self.path)
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        try:
            for number in range(self.server.pieces):
                self.wfile.write(b'data: {"choices": [{"delta": {"content": "%d "}}]}\n\n' % number)
                time.sleep(0.05)
            self.wfile.write(b"data: [DONE]\n\n")
        except OSError:
            self.server.broken_off.set()
        self.close_connection = True

    def _say(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self) -> str:
        return "link"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
        """Say nothing."""


def kit(folder: Path, *, server: str = "appliance-model", client: str = "appliance-web") -> Path:
    """Run the script of the model node; `tls`, `keys` and `kit` lie below the folder then."""
    for name in ("tls", "keys"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "keys/appliance_vllm_api_key").write_text(KEY)
    command = ["sh", str(_KIT), *(str(folder / one) for one in ("tls", "keys")), server, client, "30"]
    subprocess.run([*command, str(folder / "kit")], check=True, capture_output=True)
    return folder


class Nginx:
    """An nginx with a rendered configuration, from start to stop; it is ready when its address takes connections."""

    def __init__(self, folder: Path, configuration: str, address: str | tuple[str, int]) -> None:
        (folder / "nginx.conf").write_text(configuration)
        # As root it would give its workers to a user who may not look into a test's folder.
        who = "user root; " if os.geteuid() == 0 else ""
        command = [str(NGINX), "-p", str(folder), "-c", "nginx.conf", "-e", "stderr", "-g", f"{who}daemon off;"]
        self._said = (folder / "said").open("w+b")
        self._process = subprocess.Popen(command, stderr=self._said)
        for _ in range(200):
            with socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET) as probe:
                if probe.connect_ex(address) == 0:
                    return
            time.sleep(0.02)
        self.stop()
        raise AssertionError(f"nginx did not start: {(folder / 'said').read_text()}")

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(timeout=10)
        self._said.close()


class End(Nginx):
    """One node's end of the link."""

    def __init__(self, node: str, folder: Path, port: int, **given: Any) -> None:
        self.socket = folder / "vllm.sock"
        more = {
            "appliance_etc": str(folder),
            "appliance_web_node": "127.0.0.1",
            "appliance_model_node": "127.0.0.1",
            "appliance_model_port": port,
            "appliance_vllm_socket": str(self.socket),
            "vllm_link_key_file": str(folder / "link_key"),
            "vllm_link_runtime": str(folder),
        }
        values = variables({**answers(f"two-node-{node}.example.yml"), **more, **given})
        address = str(self.socket) if node == "web" else ("127.0.0.1", port)
        super().__init__(folder, rendered("vllm", f"link-{node}.conf.j2", values), address)


def place_model(folder: Path, made: Path) -> Path:
    """Lay out the model node's files as its tasks do."""
    shutil.copytree(made / "tls", folder / "tls")
    shutil.copyfile(made / "keys/link_key", folder / "link_key")
    return folder


def place_web(folder: Path, made: Path) -> Path:
    """Lay out the web node's files as its tasks do, from the kit."""
    (folder / "tls").mkdir(parents=True)
    shutil.copyfile(made / "kit/authority.pem", folder / "tls/link-authority.pem")
    shutil.copyfile(made / "kit/certificate.pem", folder / "tls/link-certificate.pem")
    shutil.copyfile(made / "kit/key.pem", folder / "link_key")
    return folder


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
