#!/bin/sh
# Builds both images, pushes and signs them with a list of what is in them, and prints their digests:
#   release.sh REPOSITORY VERSION BASE_IMAGE@sha256:… BUILD_IMAGE@sha256:…
# REPOSITORY is a registry and a path, to which buildah and cosign are logged in.
set -eu
cd "$(dirname "$0")/../.."

fail() {
    echo "release: $1" >&2
    exit 2
}

[ $# -eq 4 ] || fail "given $# words; allowed: REPOSITORY VERSION BASE_IMAGE@sha256:… BUILD_IMAGE@sha256:…"
repository=$1 version=$2 base=$3 build=$4
for image in "$base" "$build"; do
    echo "$image" | grep -Eq '^[^@]+@sha256:[0-9a-f]{64}$' ||
        fail "given $image as a base image; allowed: NAME@sha256: and 64 hexadecimal digits"
done
for tool in git buildah syft cosign; do
    command -v $tool >/dev/null || fail "$tool is not installed"
done
[ -z "$(git status --porcelain)" ] || fail "the checkout has changes that are not committed"

out=out/release/$version
mkdir -p "$out"
for target in maskstream maskstream-cuda; do
    buildah bud --format docker --timestamp "$(git log -1 --format=%ct)" \
        --build-arg BASE_IMAGE="$base" --build-arg BUILD_IMAGE="$build" \
        --build-arg VERSION="$version" --build-arg REVISION="$(git rev-parse HEAD)" \
        -f deploy/docker/Dockerfile --target $target -t "$repository/$target:$version" .
    buildah push --digestfile "$out/$target.digest" "$repository/$target:$version"
    pushed=$repository/$target@$(cat "$out/$target.digest")
    syft scan "registry:$pushed" -o spdx-json="$out/$target.spdx.json"
    cosign sign --yes "$pushed"
    cosign attest --yes --type spdxjson --predicate "$out/$target.spdx.json" "$pushed"
    echo "$pushed"
done
