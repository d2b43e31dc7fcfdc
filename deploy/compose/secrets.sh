#!/bin/sh
# Makes the secrets of compose.yaml that are not there yet. One is changed by deleting its file first.
set -eu
cd "$(dirname "$0")"

# Compose mounts the files as they are, and users of containers have to be able to read them. The
# folder alone keeps other users of this machine out.
mkdir -p secrets
chmod 700 secrets
for name in page receiver grafana; do
    [ -s "secrets/$name" ] && continue
    openssl rand -base64 32 >"secrets/$name"
    chmod 444 "secrets/$name"
    echo "secrets/$name: made"
done
