#!/bin/sh
# Makes this Debian 12 machine the appliance, release @VERSION@.
#
#   cp MEDIUM/install /root/install
#   sha256sum /root/install           compare with the paper sheet; go on only if it is the same
#   sh /root/install MEDIUM           asks for the signer's fingerprint, which stands on the paper too
#
# Without MEDIUM: the folder this script lies in. Further arguments, after --, go to ansible-playbook.
#
# Nothing else of the medium runs before it was verified: this script holds the sha256 of the verifier and of the few
# packages that Python needs, and works with what every Debian has (sh, coreutils, dpkg).
set -eu
umask 022

version=@VERSION@
medium=$(dirname -- "$0")
case "${1:-}" in
    "" | -*) ;;
    *) medium=$1; shift ;;
esac
medium=$(CDPATH='' cd -- "$medium" && pwd)
from=$medium/targets/release/$version
root=/opt/appliance

fingerprint=""
if [ "${1:-}" = "--fingerprint" ]; then
    fingerprint=${2:?--fingerprint needs the fingerprint}
    shift 2
fi
[ "${1:-}" != "--" ] || shift

if [ "$(id -u)" -ne 0 ]; then
    echo "install: run as root" >&2
    exit 1
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT INT TERM

# What runs here runs without a network, where the kernel gives a process one of its own; the firewall, which needs a
# package of the verified copy, holds from the first steps of `continue` on.
alone="unshare --net"
$alone true 2>/dev/null || alone=""

# take SHA256 FILE: copies a file of the medium, and goes on only if the copy is what this script names. The copy is
# what runs: a stick can change between two readings.
take() {
    cp -- "$from/$2" "$work/"
    if ! echo "$1  $work/${2##*/}" | sha256sum --check --status --strict; then
        echo "install: REFUSED: $2 is not what this script names" >&2
        exit 1
    fi
}

if ! command -v python3 >/dev/null 2>&1; then
    echo "install: Python is missing; taking it from the medium" >&2
    while read -r digest file; do
        take "$digest" "$file"
    done <<'DEBS'
@DEBS@
DEBS
    # apt orders them; it is given these files and nothing else
    mkdir "$work/no-sources"
    : >"$work/no-sources.list"
    DEBIAN_FRONTEND=noninteractive $alone apt-get -y -q --no-install-recommends -o APT::Sandbox::User=root \
        -o Dir::Etc::sourcelist="$work/no-sources.list" -o Dir::Etc::sourceparts="$work/no-sources" \
        install "$work"/*.deb >"$work/log" 2>&1 || { tail -n 20 "$work/log" >&2; exit 1; }
fi

take @PROGRAM_SHA256@ bootstrap/release.pyz
if [ -z "$fingerprint" ] && [ ! -e /var/lib/appliance/trust/root.json ]; then
    printf 'Signer'"'"'s fingerprint, from the paper sheet: ' >&2
    read -r fingerprint
fi
if [ -n "$fingerprint" ]; then
    $alone python3 -I "$work/release.pyz" stage "$medium" --version "$version" --fingerprint "$fingerprint"
else
    $alone python3 -I "$work/release.pyz" stage "$medium" --version "$version"
fi

rm -rf "$work"
trap - EXIT INT TERM
exec sh "$root/bundles/$version/bootstrap/continue" "$@"
