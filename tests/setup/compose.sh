#!/bin/sh
# Builds the reader of compose files that Docker's own command has, from its Go module, into .cache/compose,
# once, for tests/deploy, where it is absent and we may. Without it one test skips, so nothing here fails.
set -u
cd "$(dirname "$0")/../.." || exit 0

pinned=tests/setup/compose
there=$PWD/.cache/compose/$(cat $pinned/* | sha256sum | cut -c1-12)
[ -e "$there/compose-config" ] && exit 0

if ! command -v go >/dev/null; then
    echo "compose: absent, and there is no Go to build it; a test of deploy/compose will skip"
    exit 0
fi

log=$(mktemp)
mkdir -p .cache/compose
new=$(mktemp -d "$PWD/.cache/compose/new.XXXXXX")
trap 'rm -rf "$log" "$new"' EXIT
echo "compose: building the reader of compose files from its Go module (seconds, once)"
export CGO_ENABLED=0 GOWORK=off
if (cd $pinned && go build -mod=readonly -trimpath -o "$new/compose-config" .) >"$log" 2>&1; then
    # Whoever comes second finds the folder there, and its own copy goes.
    mv -T "$new" "$there" 2>/dev/null
else
    tail -n 3 "$log"
    echo "compose: could not be built; a test of deploy/compose will skip"
fi
exit 0
