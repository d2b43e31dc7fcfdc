#!/bin/sh
# Builds the images of deploy/docker with buildah, without an engine and without root's daemon:
# images.sh TARGET...   Where that cannot be, tests/deploy skips; one line says what happened.
# There is no registry: Debian's own packages make the base images. The root of each image lies then
# at .cache/images/TARGET/root, and how it starts in .cache/images/TARGET/image.json.
set -eu
cd "$(dirname "$0")/../.."

if [ "$(id -u)" -ne 0 ]; then
    echo "images: root is needed to build them; tests of the images will skip"
    exit 0
fi
command -v buildah >/dev/null && command -v debootstrap >/dev/null ||
    tests/setup/install.sh images "tests of the images" buildah debootstrap
command -v buildah >/dev/null && command -v debootstrap >/dev/null || exit 0

cache=$PWD/.cache/images
mkdir -p "$cache"
b() { buildah --root "$cache/storage" --runroot "$cache/run" "$@"; }
quietly() {
    log=$cache/$1.log
    shift
    "$@" >"$log" 2>&1 || {
        tail -n 20 "$log"
        exit 1
    }
}

# As the slim images are: Debian and python3, without documentation.
base() {
    b inspect --type image maskstream-base >/dev/null 2>&1 && return
    echo "images: making a base image of Debian's packages"
    rm -rf "$cache/base"
    quietly base debootstrap --variant=minbase --include=python3,ca-certificates bookworm "$cache/base"
    rm -rf "$cache"/base/var/cache/apt/* "$cache"/base/var/lib/apt/lists/* "$cache"/base/var/log/* \
        "$cache"/base/usr/share/doc/* "$cache"/base/usr/share/man/* "$cache"/base/usr/share/locale/* \
        "$cache"/base/etc/resolv.conf "$cache"/base/etc/hostname
    from=$(b from scratch)
    quietly base b add "$from" "$cache/base" /
    quietly base b commit --rm "$from" maskstream-base
    rm -rf "$cache/base"
}

build_base() {
    b inspect --type image maskstream-build >/dev/null 2>&1 && return
    from=$(b from --pull-never maskstream-base)
    quietly build b run --isolation chroot "$from" -- sh -c \
        'apt-get update -qq && apt-get install -y -qq --no-install-recommends python3-venv binutils'
    quietly build b commit --rm "$from" maskstream-build
}

# What this machine needs to reach its package index, if anything: never part of an image.
settings() {
    mkdir -p "$cache/settings"
    [ ! -e /etc/pip.conf ] || cp /etc/pip.conf "$cache/settings/pip.conf"
    touch "$cache/settings/pip.conf"
    echo 'system-certs = true' >"$cache/settings/uv.toml"
}

image() {
    inputs=$(cat "$0" .dockerignore LICENSE README.md constraints.txt pyproject.toml)
    sources=$(find connectors stream deploy/docker -type f ! -name '*.pyc' -exec sha256sum {} + | sort)
    key=$(printf '%s' "$inputs$sources" | sha256sum | cut -d' ' -f1)
    kept=$cache/$1
    [ "$(cat "$kept/key" 2>/dev/null)" = "$key" ] && [ -d "$kept/root/opt" ] && return
    echo "images: building $1"
    rm -rf "$kept"
    b rm "$1" >/dev/null 2>&1 || true
    quietly "$1" b bud --layers --isolation chroot --format docker --pull-never \
        --build-arg BASE_IMAGE=maskstream-base --build-arg BUILD_IMAGE=maskstream-build \
        -v /etc/ssl/certs:/etc/ssl/certs:ro \
        -v "$cache/settings/pip.conf:/etc/pip.conf:ro" -v "$cache/settings/uv.toml:/etc/uv/uv.toml:ro" \
        -f deploy/docker/Dockerfile --target "$1" -t "$1" .
    mkdir -p "$kept"
    b inspect --type image "$1" >"$kept/image.json"
    b from --pull-never --name "$1" "$1" >/dev/null
    ln -sfn "$(b mount "$1")" "$kept/root"
    echo "$key" >"$kept/key"
}

base
build_base
settings
for target; do image "$target"; done
