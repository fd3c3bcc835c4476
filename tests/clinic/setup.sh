#!/bin/sh
# Installs what the container of clinic-test needs of Debian's packages, where it is missing. Needs root.
set -eu
missing=""
for pair in mmdebstrap:mmdebstrap systemd-nspawn:systemd-container nft:nftables tcpdump:tcpdump ip:iproute2; do
    command -v "${pair%%:*}" >/dev/null 2>&1 || missing="$missing ${pair##*:}"
done
[ -n "$missing" ] || exit 0
echo "  installing for clinic-test:$missing" >&2
apt-get update -qq
# shellcheck disable=SC2086 # a list of words
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
