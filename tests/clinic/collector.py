"""The site's syslog collector: `python -m tests.clinic.collector FOLDER ADDRESS`, over TLS, until it is ended.

In the folder: `authority.pem`, whom a sender is to trust; `calls`, a dot a connection; `received`, what was sent.
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import ssl
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

PORT: Final = 6514
_SPARE: Final = timedelta(days=2)


def certificate(folder: Path, address: str) -> tuple[Path, Path]:
    """Make a certificate for an address, which is its own authority; returns it and its key."""
    key = ec.generate_private_key(ec.SECP384R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "collector")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SPARE)
        .not_valid_after(now + _SPARE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), critical=False)
        .sign(key, hashes.SHA384())
    )
    own = folder / "key.pem"
    own.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    authority = folder / "authority.pem"
    authority.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return authority, own


def serve(folder: Path, address: str) -> None:
    """Take connections and keep what comes."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(*certificate(folder, address))
    with socket.create_server((address, PORT)) as door:
        (folder / "received").touch()
        (folder / "calls").touch()
        while True:
            plain, _ = door.accept()
            with (folder / "calls").open("ab") as calls:
                calls.write(b".")
            threading.Thread(target=_take, args=(context, plain, folder / "received"), daemon=True).start()


def _take(context: ssl.SSLContext, plain: socket.socket, file: Path) -> None:
    with (
        plain,
        contextlib.suppress(OSError),
        context.wrap_socket(plain, server_side=True) as line,
        file.open("ab", buffering=0) as received,
    ):
        while data := line.recv(65536):
            received.write(data)


if __name__ == "__main__":
    serve(Path(sys.argv[1]), sys.argv[2])
