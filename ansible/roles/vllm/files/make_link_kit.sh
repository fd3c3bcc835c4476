#!/bin/sh
# make_link_kit.sh TLS KEYS SERVER CLIENT DAYS KIT: on the model node, an authority for the link between the two nodes, this
# node's certificate, and the folder KIT for the web node: authority.pem, certificate.pem, key.pem, api_key.
# Run again after link-certificate.pem was removed: new certificates by the same authority.
set -eu
tls=$1 keys=$2 server=$3 client=$4 days=$5 kit=$6
umask 077
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

issue() { # issue NAME USAGE: $work/NAME.key and $work/NAME.pem
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$1" \
        -keyout "$work/$1.key" -out "$work/$1.csr" 2>/dev/null
    cat >"$work/$1.ext" <<EXTENSIONS
basicConstraints=critical,CA:FALSE
keyUsage=critical,digitalSignature
extendedKeyUsage=$2
subjectAltName=DNS:$1
subjectKeyIdentifier=hash
authorityKeyIdentifier=keyid
EXTENSIONS
    openssl x509 -req -in "$work/$1.csr" -CA "$tls/link-authority.pem" -CAkey "$keys/link_authority_key" -sha384 \
        -days "$days" -extfile "$work/$1.ext" -out "$work/$1.pem" 2>/dev/null
}

if [ ! -s "$keys/link_authority_key" ] || [ ! -s "$tls/link-authority.pem" ]; then
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-384 -nodes -sha384 -days 3650 \
        -subj "/CN=Appliance authority of the model link" -keyout "$work/authority.key" -out "$work/authority.pem" \
        -addext "basicConstraints=critical,CA:TRUE,pathlen:0" -addext "keyUsage=critical,keyCertSign,cRLSign" 2>/dev/null
    chmod 644 "$work/authority.pem"
    cp -p "$work/authority.key" "$keys/link_authority_key"
    cp -p "$work/authority.pem" "$tls/link-authority.pem"
fi
issue "$server" serverAuth
issue "$client" clientAuth
rm -rf "$kit"
mkdir -p "$kit"
cp "$tls/link-authority.pem" "$kit/authority.pem"
cp "$work/$client.pem" "$kit/certificate.pem"
cp "$work/$client.key" "$kit/key.pem"
cp "$keys/appliance_vllm_api_key" "$kit/api_key"
cp "$work/$server.key" "$keys/link_key"
chmod 644 "$work/$server.pem"
cp -p "$work/$server.pem" "$tls/link-certificate.pem.new"
# Last: where this file is, the rest is complete.
mv "$tls/link-certificate.pem.new" "$tls/link-certificate.pem"
