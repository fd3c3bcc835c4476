"""One frozen settings object; the only reader of the environment.

Every value comes from `APPLIANCE_<NAME>`, or, for secrets, from a file of that name in the
systemd credentials folder, or from `var/secrets/` which the embedded profile fills on first use.
"""

from __future__ import annotations

import ipaddress
import os
import secrets
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal, Self, get_args
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

if TYPE_CHECKING:
    from collections.abc import MutableMapping

ROOT: Final = Path(__file__).resolve().parent.parent
# Every library that could call home is told not to; a test proves that each name is set.
QUIET: Final = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_DATASETS_OFFLINE": "1",
    "DO_NOT_TRACK": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "VLLM_DO_NOT_TRACK": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "ANONYMIZED_TELEMETRY": "False",
    "QDRANT__TELEMETRY_DISABLED": "true",
    "OTEL_SDK_DISABLED": "true",
    "ORT_DISABLE_TELEMETRY": "1",
}


def stays_on_site(url: str) -> str:
    """Return the URL if its host is loopback, a private address or a Unix socket.

    Raises:
        ValueError: the host is off-site; a start-up error, not a warning.
    """
    parts = urlsplit(url)
    if parts.scheme in {"unix", "redis+socket"}:
        return url
    host = parts.hostname or ""
    if host == "localhost" or host.endswith((".local", ".internal", ".lan")):
        return url
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        raise ValueError(
            f"{host or url!r} is not on this site; allowed: loopback, private addresses, "
            "or a name ending in .local, .internal or .lan"
        ) from None
    if not (address.is_loopback or address.is_private):
        raise ValueError(f"{host} is a public address; the appliance talks to its own site only")
    return url


OnSiteUrl = Annotated[str, AfterValidator(stays_on_site)]
SecretName = Literal["secret_key", "master_key", "vector_api_key", "vllm_api_key", "backup_signing_key"]
SECRET_NAMES: Final[tuple[SecretName, ...]] = get_args(SecretName)


class Config(BaseSettings):
    """The appliance's configuration; times in seconds, sizes in bytes unless the name says otherwise."""

    model_config = SettingsConfigDict(
        env_prefix="APPLIANCE_",
        frozen=True,
        extra="ignore",
        secrets_dir=os.environ.get("CREDENTIALS_DIRECTORY"),  # noqa: TID251 - this is the one reader
    )

    profile: Literal["embedded", "site"] = Field("embedded", description="which of the two profiles")
    demo: bool = Field(default=False, description="the synthetic clinic is loaded here")
    var: Path = Field(ROOT / "var", description="folder of run-time data")
    host: str = Field("127.0.0.1", description="address of the people's door")
    port: int = Field(8000, ge=1, le=65535, description="port of the people's door")
    door: Literal["people", "machines"] = Field("people", description="which door this process serves")
    machine_port: int = Field(8010, ge=1, le=65535, description="port of the machines' door: CDS Hooks, FHIR, API")
    machines_url: str = Field(
        "", description="base URL of the machines' door as its callers know it; empty: host and machine_port"
    )
    people_url: str = Field("", description="base URL of the people's door as browsers know it; empty: host and port")
    cds_clients: Path | None = Field(
        None, description="JSON file of the CDS Hooks clients that may call; default var/cds_clients.json"
    )
    cds_quiet_hours: float = Field(
        24.0, ge=0, description="hours for which an overridden patient-view card stays quiet for its user"
    )
    fhir_clients: Path | None = Field(
        None, description="JSON file of the machine clients of the FHIR door; default var/fhir_clients.json"
    )
    ehr_servers: Path | None = Field(
        None, description="JSON file of the site's FHIR servers that may be read; default var/ehr_servers.json"
    )
    fhir_max_bytes: int = Field(64 * 2**20, gt=0, description="largest body that the FHIR door takes")
    fhir_wait_bytes: int = Field(
        2**20, ge=0, description="largest body that the FHIR door works through before it answers; above it answers 202"
    )
    mllp_host: str = Field("", description="address of the HL7 v2 door; empty: host")
    mllp_port: int = Field(2575, ge=1, le=65535, description="port of the HL7 v2 door")
    mllp_connections: int = Field(64, ge=1, description="most senders at once at the HL7 v2 door")
    mllp_idle_s: float = Field(3600.0, gt=0, description="seconds a sender may say nothing before he is let go")
    mllp_message_s: float = Field(30.0, gt=0, description="seconds one message may take from first to last byte")
    mllp_tls_cert: Path | None = Field(None, description="PEM certificate of the HL7 v2 door; empty: no TLS")
    mllp_tls_key: Path | None = Field(None, description="PEM key of that certificate")
    mllp_tls_client_ca: Path | None = Field(
        None, description="PEM authority whose certificate each sender must show; empty: none is asked for"
    )
    database_url: str = Field(
        "",
        description="postgresql://user:password@/name?host=/run/postgresql; empty is SQLite under var",
    )
    audit_database_url: str = Field("", description="the trail's own database; as database_url")
    redis_url: OnSiteUrl = Field("redis://127.0.0.1:6390/0", description="the queue")
    vector_url: OnSiteUrl = Field("http://127.0.0.1:6335", description="vector service or Qdrant server")
    vllm_url: OnSiteUrl = Field("http://127.0.0.1:8017", description="vLLM's OpenAI-compatible server")
    vllm_model: str = Field("demo", description="served model name")
    vllm_timeout_s: float = Field(60.0, gt=0, description="seconds for one drafted answer")
    vllm_max_model_len: int = Field(2048, ge=512, description="context window in tokens")
    model_dir: Path | None = Field(None, description="folder of the served weights; default var/models/demo")
    embedder_dir: Path | None = Field(None, description="folder of model.onnx and tokenizer.json")
    max_resource_bytes: int = Field(16 * 2**20, gt=0, description="largest single resource accepted")
    max_file_bytes: int = Field(512 * 2**20, gt=0, description="largest file accepted, ndjson excepted")
    ingest_lease_s: float = Field(
        60.0, gt=0, description="seconds after which a job of a killed worker is taken up again"
    )
    sweep_s: float = Field(5.0, gt=0, description="seconds between two looks at the ledger")
    default_care_team: str = Field(
        "", description="comma-separated users who treat every patient; embedded default demo-clinician"
    )
    known_authorities: str = Field(
        "",
        description="comma-separated Identifier systems and FHIR server base URLs whose patient identifiers count, and "
        "`uploads` for files that name no server; empty: every one in the embedded profile, none on a site",
    )
    draft_tokens: int = Field(160, ge=16, le=2048, description="most tokens of one drafted answer")
    prompt_chars: int = Field(2400, ge=400, description="most characters of evidence in one prompt")
    drafting: bool = Field(
        default=True, description="whether this installation may draft; the clinical lead can turn it off while it runs"
    )
    guided_lookups: bool = Field(
        default=False,
        description="where the grammar reads no look-up, the model picks one from a closed list, shown as related only",
    )
    site_timezone: str = Field(
        "UTC", description="IANA zone of the pages, and of times in HL7 v2 and C-CDA that name none"
    )
    ocr_languages: str = Field(
        "eng",
        pattern=r"[a-z_]{3,12}(\+[a-z_]{3,12})*",
        description="languages of scanned pages, as Tesseract names them",
    )
    allowed_hosts: str = Field("127.0.0.1,localhost,[::1]", description="comma-separated Host names")
    backup_dir: Path | None = Field(None, description="folder that backups are written to; default var/backups")
    backup_recipient: str = Field(
        "", description="public key (age1...) that backups are encrypted to; the embedded profile makes one of its own"
    )
    backup_keep: int = Field(14, ge=1, description="backups kept; older ones are removed after each new one")
    secrets_needed: str = Field(
        "secret_key,master_key,vector_api_key,vllm_api_key",
        description="comma-separated secrets without which this process does not start on a site; a service that uses "
        "fewer is given fewer",
    )
    secret_key: SecretStr | None = Field(None, description="Django's secret; file secret_key")
    master_key: SecretStr | None = Field(None, description="64 hex digits; wraps every patient key")
    vector_api_key: SecretStr | None = Field(None, description="key of the vector service")
    vllm_api_key: SecretStr | None = Field(None, description="key of the model server")
    backup_signing_key: SecretStr | None = Field(None, description="64 hex digits; signs backups (Ed25519 seed)")

    @model_validator(mode="after")
    def _site_needs_its_secrets(self) -> Self:
        names = [name.strip() for name in self.secrets_needed.split(",") if name.strip()]
        missing = [name for name in names if getattr(self, name, None) is None]
        if self.profile == "site" and missing:
            raise ValueError(f"a site gives these as credentials: {', '.join(missing)}")
        return self

    def secret(self, name: SecretName) -> str:
        """Return a secret; the embedded profile makes it once and keeps it under var/secrets (0600).

        Raises:
            ValueError: a site has not given it.
        """
        given: SecretStr | None = getattr(self, name)
        if given is not None:
            return given.get_secret_value()
        if self.profile == "site":
            raise ValueError(f"a site gives {name} as a credential")
        path = self.var / "secrets" / name
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            try:
                with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                    file.write(secrets.token_hex(32))
            except FileExistsError:  # another process of the same start was first
                pass
        return path.read_text().strip()

    @property
    def care_team(self) -> list[str]:
        """Users who treat every newly registered patient; on a site nobody does by default."""
        given = [user.strip() for user in self.default_care_team.split(",") if user.strip()]
        return given or (["demo-clinician"] if self.profile == "embedded" else [])

    @property
    def authorities(self) -> frozenset[str] | None:
        """Assigning authorities whose identifiers name a patient here; None when all of them do."""
        given = frozenset(one.strip() for one in self.known_authorities.split(",") if one.strip())
        return given if given or self.profile == "site" else None

    @property
    def machines_base(self) -> str:
        """Base URL of the machines' door, without a slash at its end."""
        return (self.machines_url or f"http://{self.host}:{self.machine_port}").rstrip("/")

    @property
    def people_base(self) -> str:
        """Base URL of the people's door, without a slash at its end."""
        return (self.people_url or f"http://{self.host}:{self.port}").rstrip("/")

    @property
    def model_path(self) -> Path:
        """Folder of the served weights: the one named, else the one that was activated, else the demo's."""
        activated = self.var / "models" / "active"
        return self.model_dir or (activated if activated.is_symlink() else self.var / "models" / "demo")

    @property
    def backup_path(self) -> Path:
        """Folder that backups are written to."""
        return self.backup_dir or self.var / "backups"

    @property
    def embedder_path(self) -> Path:
        """Folder of the embedder's model.onnx and tokenizer.json."""
        return self.embedder_dir or self.var / "models" / "embedder"


@cache
def config() -> Config:
    """Return this process's configuration, read once."""
    return Config()


def environment() -> MutableMapping[str, str]:
    """Return a copy of this process's environment for a child process, with every telemetry off."""
    return {**os.environ, **QUIET}  # noqa: TID251 - this is the one reader


def use_settings_module() -> None:
    """Point Django at the settings and silence every library before any is imported."""
    for name, value in QUIET.items():
        os.environ[name] = value  # noqa: TID251 - this is the one reader
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "appliance.settings")  # noqa: TID251
