"""The sheet of paper that travels apart from the medium: what to compare, what to type."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


def sheet(*, version: str, install_sha256: str, fingerprint: str, signed: datetime, expires: datetime) -> str:
    """Return the sheet as plain text of at most 80 columns.

    Args:
        version: the release on the medium.
        install_sha256: of the script that runs first.
        fingerprint: the signer's.
        signed: time of signing.
        expires: time after which the medium is refused.
    """
    return f"""\
CLINICAL ASSISTANT APPLIANCE, RELEASE {version}
Signed {signed:%Y-%m-%d}. Refused after {expires:%Y-%m-%d}: ask for a newer medium then.

Keep this sheet apart from the medium, and get it another way than the medium:
whoever can change both can make you install anything.

1. On the bare Debian 12 machine, as root, with the medium mounted, say at /mnt.
   The script is copied first, so that what you check is what will run:

       cp /mnt/install /root/install
       echo "{install_sha256}  /root/install" | sha256sum -c

   Typing it is safest. To compare by eye instead: sha256sum /root/install

       {_grouped(install_sha256, 4)}

   Go on only if it says `/root/install: OK`.

2.     sh /root/install /mnt

3. When asked for the signer's fingerprint, type:

       {fingerprint}

   Capitals, blanks and dashes do not matter. It stays the same from release to
   release; a machine that knows the signer does not ask again.
"""


def _grouped(digest: str, length: int) -> str:
    groups = [digest[start : start + length] for start in range(0, len(digest), length)]
    return "\n       ".join(" ".join(groups[start : start + 8]) for start in range(0, len(groups), 8))
