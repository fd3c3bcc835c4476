#!/bin/sh
# carry_over.sh DEVICE FOLDER: what the verifier wrote into FOLDER, onto the volume that will be mounted over it.
# A volume used before keeps the trust it holds: its versions are the higher ones. The journal is this installation's.
set -eu
device=$1
folder=$2
place=$(mktemp -d)
mount "$device" "$place"
trap 'umount "$place"; rmdir "$place"' EXIT
if [ -d "$folder/trust" ] && [ ! -e "$place/trust/root.json" ]; then
    rm -rf "$place/trust"
    cp -a "$folder/trust" "$place/trust"
fi
if [ -d "$folder/release" ]; then
    rm -rf "$place/release"
    cp -a "$folder/release" "$place/release"
fi
sync
