#!/bin/sh
# make_certificate.sh FOLDER KEYS NAME DAYS: an authority, and a server certificate for NAME signed by it.
# The authority's key signs this once more when the certificate is renewed; it stays with the other secrets.
set -eu
folder=$1 keys=$2 name=$3 days=$4
umask 077
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
case "$name" in
    *[!0-9.]*) alternative="DNS:$name" ;;
    *) alternative="IP:$name" ;;
esac
if [ ! -e "$keys/authority_key" ]; then
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-384 -nodes -sha384 -days 3650 \
        -subj "/CN=Appliance authority of $name" -keyout "$keys/authority_key" -out "$folder/authority.pem" \
        -addext "basicConstraints=critical,CA:TRUE,pathlen:0" -addext "keyUsage=critical,keyCertSign,cRLSign" 2>/dev/null
fi
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$name" \
    -keyout "$keys/tls_key" -out "$work/request.pem" 2>/dev/null
cat >"$work/extensions" <<EXTENSIONS
basicConstraints=critical,CA:FALSE
keyUsage=critical,digitalSignature
extendedKeyUsage=serverAuth
subjectAltName=$alternative
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid
EXTENSIONS
openssl x509 -req -in "$work/request.pem" -CA "$folder/authority.pem" -CAkey "$keys/authority_key" -sha384 \
    -days "$days" -extfile "$work/extensions" -out "$work/certificate.pem" 2>/dev/null
chmod 644 "$work/certificate.pem" "$folder/authority.pem"
mv "$work/certificate.pem" "$folder/certificate.pem"
