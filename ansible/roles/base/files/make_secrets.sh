#!/bin/sh
# make_secrets.sh FOLDER SOCKET NAME...: 32 random bytes each, as hexadecimal digits, where there is none yet; and the
# queue's address, which holds its password. Says what it made.
set -eu
umask 077
cd "$1"
socket=$2
shift 2
for name in "$@"; do
    [ -s "$name" ] && continue
    head -c 32 /dev/urandom | od -An -vtx1 | tr -d ' \n' >"$name.new"
    sync "$name.new"
    mv "$name.new" "$name"
    echo "made $name"
done
if [ ! -s appliance_redis_url ]; then
    printf 'redis+socket://appliance:%s@%s?virtual_host=0' "$(cat redis_password)" "$socket" >appliance_redis_url.new
    mv appliance_redis_url.new appliance_redis_url
    echo "made appliance_redis_url"
fi
