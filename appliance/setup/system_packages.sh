#!/bin/sh
# Installs the Debian packages that are missing, and only those; touches no network when none is.
# Arguments: the purposes, `run` and, for the tests, `test`.
set -eu

missing=""
optional=""
need() { # need PROGRAM PACKAGE...
    command -v "$1" >/dev/null 2>&1 || { shift; missing="$missing $*"; }
}

for purpose in "$@"; do
    case "$purpose" in
        run)
            need redis-server redis-server
            "${PYTHON:-python3.11}" -c 'import ensurepip, venv' 2>/dev/null || missing="$missing python3-venv"
            # the model server's libraries: OpenMP, NUMA
            ldconfig -p 2>/dev/null | grep -q 'libnuma\.so\.1' || missing="$missing libnuma1"
            # reads scanned pages; without it they wait in quarantine
            command -v tesseract >/dev/null 2>&1 || optional="tesseract-ocr tesseract-ocr-eng tesseract-ocr-osd"
            ;;
        test)
            need chromium chromium fonts-dejavu-core
            need strace strace
            need ip iproute2
            need nft nftables
            need nginx nginx-light
            [ -x /usr/lib/postgresql/15/bin/postgres ] || command -v postgres >/dev/null 2>&1 \
                || missing="$missing postgresql"
            ;;
        *) echo "  unknown purpose: $purpose" >&2; exit 2 ;;
    esac
done
[ -n "$missing$optional" ] || exit 0

as_root=""
if [ "$(id -u)" -ne 0 ]; then
    if sudo -n true 2>/dev/null; then
        as_root="sudo -n"
    elif [ -z "$missing" ]; then
        echo "  scanned pages cannot be read until an administrator runs:" >&2
        echo "    sudo apt-get install --no-install-recommends $optional" >&2
        exit 0
    else
        echo "  these packages are missing and need an administrator:" >&2
        echo "    sudo apt-get install --no-install-recommends$missing $optional" >&2
        exit 1
    fi
fi
missing="$missing $optional"
echo "  installing system packages:$missing" >&2
# Nothing starts by itself: the appliance runs its own Redis on its own port. Debian asks this file.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' | $as_root tee "$policy" >/dev/null
    $as_root chmod 755 "$policy"
    trap '$as_root rm -f "$policy"' EXIT
fi
$as_root apt-get update -qq
# shellcheck disable=SC2086 # a list of words
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
