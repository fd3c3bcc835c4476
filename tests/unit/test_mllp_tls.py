"""TLS at the HL7 v2 door: only senders whose certificate the site's authority signed are spoken to."""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ingestion.mllp.server import Certificates
from ingestion.models import IngestJob
from tests.unit.mllp_sender import Sender, code_of, door, message

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.django_db(transaction=True, databases=["default", "audit"])


class Authority:
    """Signs certificates; everything is made in the test's folder."""

    def __init__(self, folder: Path, name: str) -> None:
        self.folder, self.name = folder, name
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.file = folder / f"{name}.pem"
        self.certificate = self._sign(name, self.key.public_key(), authority=True)
        self.file.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))

    def issue(self, name: str) -> tuple[Path, Path]:
        key = ec.generate_private_key(ec.SECP256R1())
        certificate, secret = self.folder / f"{name}.crt", self.folder / f"{name}.key"
        signed = self._sign(name, key.public_key(), authority=False)
        certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
        secret.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return certificate, secret

    def _sign(self, name: str, public: ec.EllipticCurvePublicKey, *, authority: bool) -> x509.Certificate:
        now = dt.datetime.now(dt.UTC)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.name)])
        names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        usage = x509.KeyUsage(
            digital_signature=True, key_cert_sign=authority, crl_sign=authority, content_commitment=False,
            key_encipherment=False, data_encipherment=False, key_agreement=False, encipher_only=False,
            decipher_only=False,
        )  # fmt: skip
        key_id = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(minutes=5))
            .not_valid_after(now + dt.timedelta(hours=1))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(key_id, critical=False)
            .sign(self.key, hashes.SHA256())
        )


def client(authority: Authority, shown: tuple[Path, Path] | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(authority.file))
    if shown is not None:
        context.load_cert_chain(*shown)
    return context


@pytest.fixture
def site(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "site")


def test_a_sender_with_a_certificate_of_the_site_is_served(site: Authority) -> None:
    with door(certificates=Certificates(*site.issue("door"), site.file)) as server:
        sender = Sender(server.port, context=client(site, site.issue("lab")))

        assert code_of(sender.send(message())) == "AA"
    assert IngestJob.objects.count() == 1


@pytest.mark.parametrize("shown", ["none", "of another authority", "no TLS at all"])
def test_a_sender_without_one_is_refused_and_nothing_is_kept(site: Authority, tmp_path: Path, shown: str) -> None:
    (tmp_path / "other").mkdir()
    theirs = Authority(tmp_path / "other", "other").issue("lab") if shown == "of another authority" else None
    context = None if shown == "no TLS at all" else client(site, theirs)
    with door(certificates=Certificates(*site.issue("door"), site.file)) as server:
        try:
            answer = Sender(server.port, context=context).send(message())
        except OSError:
            answer = ""
        good = Sender(server.port, context=client(site, site.issue("lab")))

        assert "MSA" not in answer
        assert code_of(good.send(message(control="good"))) == "AA"
    assert IngestJob.objects.count() == 1


def test_without_an_authority_for_clients_the_door_only_encrypts(site: Authority) -> None:
    with door(certificates=Certificates(*site.issue("door"))) as server:
        assert code_of(Sender(server.port, context=client(site, None)).send(message())) == "AA"
