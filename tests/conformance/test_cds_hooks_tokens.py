"""Client tokens of CDS Hooks 2.0.

Source: CDS Hooks 2.0, "Security and Safety", "Trusting CDS Clients" and "JWT Signing Algorithm"; RFC 7515, RFC 7519.
Each case is one line of the standard: what a token must be, on every call, discovery too.
"""

from __future__ import annotations

import base64
import json
import socket
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from django.utils import timezone

from clinical.models import AuditEvent
from tests import cds_client
from tests.cds_client import BASE, DISCOVERY, OTHER_EC_KEY, RSA_KEY, hook, reason, registration, token
from tests.factories import patient, take_in

if TYPE_CHECKING:
    from tests.cds_client import Machines

machines = cds_client.machines
pytestmark = pytest.mark.django_db(databases=["default", "audit"], transaction=True)
CALL = f"{DISCOVERY}/patient-view"


def epoch(**span: float) -> int:
    return int((timezone.now() + timedelta(**span)).timestamp())


def test_es384_is_accepted(machines: Machines) -> None:
    assert machines.request("GET", DISCOVERY).status_code == 200


def test_rs384_is_accepted(machines: Machines) -> None:
    signed = token(DISCOVERY, key=RSA_KEY, algorithm="RS384", kid="rsa-1")
    assert machines.request("GET", DISCOVERY, bearer=signed).status_code == 200


def test_an_audience_in_an_array_is_accepted(machines: Machines) -> None:
    assert machines.request("GET", DISCOVERY, bearer=token(DISCOVERY, aud=[BASE + DISCOVERY])).status_code == 200


def test_the_registered_jku_is_accepted(machines: Machines) -> None:
    signed = token(DISCOVERY, headers={"jku": cds_client.JKU})
    assert machines.request("GET", DISCOVERY, bearer=signed).status_code == 200


@pytest.mark.parametrize("path", [DISCOVERY, CALL, f"{CALL}/feedback"])
def test_every_endpoint_needs_a_token(machines: Machines, path: str) -> None:
    reply = machines.request("GET" if path == DISCOVERY else "POST", path, {}, bearer="")
    assert (reply.status_code, reason(reply)) == (401, "no-token")
    assert reply["WWW-Authenticate"].startswith("Bearer")


def unsigned() -> str:
    return jwt.encode(cds_client.claims(DISCOVERY), "", algorithm="none", headers={"kid": "ec-1"})


def symmetric(algorithm: str = "HS256") -> str:
    """Signed with the public key as an HMAC secret: the classic confusion of algorithms."""

    def part(value: dict[str, Any]) -> bytes:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=")

    import hashlib
    import hmac

    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    secret = cds_client.EC_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    head = part({"alg": algorithm, "typ": "JWT", "kid": "ec-1"}) + b"." + part(cds_client.claims(DISCOVERY))
    digest = hmac.new(secret, head, {"HS256": hashlib.sha256, "HS384": hashlib.sha384}[algorithm]).digest()
    return (head + b"." + base64.urlsafe_b64encode(digest).rstrip(b"=")).decode()


REFUSED: dict[str, tuple[Any, str]] = {
    "none": (unsigned, "algorithm"),
    "HS256": (symmetric, "algorithm"),
    "HS384": (lambda: symmetric("HS384"), "algorithm"),
    "audience of another endpoint": (lambda: token(CALL), "wrong-audience"),
    "audience array without the endpoint": (lambda: token(DISCOVERY, aud=[BASE, BASE + CALL]), "wrong-audience"),
    "audience with a slash more": (lambda: token(DISCOVERY, aud=f"{BASE}{DISCOVERY}/"), "wrong-audience"),
    "no audience": (lambda: token(DISCOVERY, aud=None), "missing-claim"),
    "expired": (lambda: token(DISCOVERY, iat=epoch(minutes=-10), exp=epoch(minutes=-5)), "expired"),
    "issued in the future": (lambda: token(DISCOVERY, iat=epoch(minutes=5), exp=epoch(minutes=9)), "from-the-future"),
    "not valid yet": (lambda: token(DISCOVERY, nbf=epoch(minutes=5)), "not-yet-valid"),
    "no expiry": (lambda: token(DISCOVERY, exp=None), "missing-claim"),
    "no time of issue": (lambda: token(DISCOVERY, iat=None), "missing-claim"),
    "no id": (lambda: token(DISCOVERY, jti=None), "missing-claim"),
    "an expiry that is no number": (lambda: token(DISCOVERY, exp="soon"), "missing-claim"),
    "a life of days": (lambda: token(DISCOVERY, exp=epoch(days=3)), "lives-too-long"),
    "unknown issuer": (lambda: token(DISCOVERY, iss="https://evil.example/"), "unknown-issuer"),
    "no issuer": (lambda: token(DISCOVERY, iss=None), "unknown-issuer"),
    "unknown kid": (lambda: token(DISCOVERY, kid="ec-2"), "unknown-key"),
    "another's key": (lambda: token(DISCOVERY, key=OTHER_EC_KEY), "bad-signature"),
    "an RSA signature under the EC key's kid": (
        lambda: token(DISCOVERY, key=RSA_KEY, algorithm="RS384", kid="ec-1"),
        "algorithm",
    ),
    "a type other than JWT": (lambda: token(DISCOVERY, headers={"typ": "at+jwt"}), "wrong-type"),
    "not a token": (lambda: "abc.def.ghi", "malformed"),
    "far too long": (lambda: "a" * 9000, "malformed"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_token_is_refused(machines: Machines, case: str) -> None:
    make, expected = REFUSED[case]
    reply = machines.request("GET", DISCOVERY, bearer=make())
    assert (reply.status_code, reason(reply)) == (401, expected)


def test_a_replayed_token_is_refused(machines: Machines) -> None:
    signed = token(DISCOVERY)
    assert machines.request("GET", DISCOVERY, bearer=signed).status_code == 200
    reply = machines.request("GET", DISCOVERY, bearer=signed)
    assert (reply.status_code, reason(reply)) == (401, "replayed")


def test_the_same_id_under_another_token_is_refused(machines: Machines) -> None:
    first, second = token(DISCOVERY, jti="once"), token(DISCOVERY, jti="once", iat=epoch(seconds=-3))
    assert machines.request("GET", DISCOVERY, bearer=first).status_code == 200
    assert reason(machines.request("GET", DISCOVERY, bearer=second)) == "replayed"


def test_a_refused_token_does_not_use_its_id_up(machines: Machines) -> None:
    assert machines.request("GET", DISCOVERY, bearer=token(CALL, jti="again")).status_code == 401
    assert machines.request("GET", DISCOVERY, bearer=token(DISCOVERY, jti="again")).status_code == 200


def test_a_jku_is_compared_and_never_fetched(machines: Machines, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unknown jku is refused; neither it nor the registered one is connected to or looked up."""

    def refuse(*_args: object, **_kwargs: object) -> None:
        raise AssertionError("a connection was attempted")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    reply = machines.request("GET", DISCOVERY, bearer=token(DISCOVERY, headers={"jku": "https://evil.example/k"}))
    assert (reply.status_code, reason(reply)) == (401, "unknown-jku")
    known = token(DISCOVERY, headers={"jku": cds_client.JKU})
    assert machines.request("GET", DISCOVERY, bearer=known).status_code == 200


def test_a_key_that_the_token_brings_along_counts_for_nothing(machines: Machines) -> None:
    brought = {"jwk": cds_client.public(OTHER_EC_KEY, "ec-1")}
    reply = machines.request("GET", DISCOVERY, bearer=token(DISCOVERY, key=OTHER_EC_KEY, headers=brought))
    assert reason(reply) == "bad-signature"


def test_the_tenant_has_to_be_the_agreed_one(machines: Machines) -> None:
    machines.register(registration(tenant="north"))
    assert reason(machines.request("GET", DISCOVERY)) == "wrong-tenant"
    assert machines.request("GET", DISCOVERY, bearer=token(DISCOVERY, tenant="north")).status_code == 200


def test_keys_rotate_without_a_restart(machines: Machines) -> None:
    machines.register(registration(keys=[cds_client.public(OTHER_EC_KEY, "ec-2"), cds_client.public(RSA_KEY, "rsa-1")]))
    assert reason(machines.request("GET", DISCOVERY)) == "unknown-key"
    assert machines.request("GET", DISCOVERY, bearer=token(DISCOVERY, key=OTHER_EC_KEY, kid="ec-2")).status_code == 200


def test_a_private_key_in_the_file_closes_the_door(machines: Machines, caplog: pytest.LogCaptureFixture) -> None:
    algorithm = jwt.get_algorithm_by_name("ES384")
    private = algorithm.to_jwk(cds_client.EC_KEY, as_dict=True) | {"kid": "ec-1"}
    machines.register(registration(keys=[private]))
    reply = machines.request("GET", DISCOVERY)
    assert (reply.status_code, reason(reply)) == (503, "clients-file")
    assert private["d"] not in caplog.text


def test_a_refused_token_is_on_the_trail_with_its_reason(machines: Machines) -> None:
    take_in(patient())
    machines.call("patient-view", hook(), bearer=token(CALL, key=OTHER_EC_KEY))
    row = AuditEvent.objects.latest("seq")
    assert (row.action, row.outcome, row.detail["reason"]) == ("cds.token", "DENIED", "bad-signature")
    assert not AuditEvent.objects.filter(action="cds.patient-view").exists()
