"""Records a site's own model folder: `python -m appliance.model_server.record FOLDER NAME LICENCE SOURCE`.

Writes the manifest with the sha256 of each file, by which the folder is checked before every start.
Weights are accepted as safetensors only.
"""

from __future__ import annotations

import sys
from pathlib import Path

from appliance.model_server import manifest


def main(arguments: list[str]) -> int:
    """Write the manifest and print the digest; returns 2 for a wrong call, 1 for a folder that is refused."""
    if len(arguments) != 4:
        sys.stderr.write(f"{(__doc__ or '').splitlines()[0]}\n")
        return 2
    folder, name, licence, source = arguments
    try:
        digest = manifest.write_manifest(
            Path(folder), name=name, licence=licence, source=source, allowed=manifest.LANGUAGE_MODEL_FILES
        )
    except (OSError, manifest.ModelFolderError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"sha256 {digest}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
