#!/bin/sh
# Resolves a real Apache Kafka (tests/pom.xml) into .cache/kafka, where it is absent and we may.
# Without it the tests that need a broker skip, so nothing here fails: one line says what happened.
set -u
cd "$(dirname "$0")/../.." || exit 0

lib=.cache/kafka/$(sha256sum tests/pom.xml | cut -c1-12)
[ -e "$lib/kafka_2.13.done" ] && exit 0

log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! command -v mvn >/dev/null || ! command -v java >/dev/null; then
    as_root=""
    [ "$(id -u)" -eq 0 ] || as_root="sudo -n"
    echo "kafka: installing Java and Maven from the distribution, for a real broker"
    install() {
        DEBIAN_FRONTEND=noninteractive $as_root apt-get install \
            -y -qq --no-install-recommends default-jre-headless maven >"$log" 2>&1
    }
    if ! install; then
        $as_root apt-get update -qq >"$log" 2>&1
        if ! install; then
            tail -n 3 "$log"
            echo "kafka: Java or Maven could not be installed; tests on a broker will skip"
            exit 0
        fi
    fi
fi

echo "kafka: resolving the broker's jars (43 MB, once)"
mkdir -p .cache/kafka
new=$(mktemp -d .cache/kafka/new.XXXXXX)
if mvn -q -B -f tests/pom.xml dependency:copy-dependencies \
    "-DoutputDirectory=$PWD/$new" >"$log" 2>&1; then
    touch "$new/kafka_2.13.done"
    # Whoever comes second finds the folder there, and its own copy goes.
    mv -T "$new" "$lib" 2>/dev/null || rm -rf "$new"
else
    tail -n 3 "$log"
    rm -rf "$new"
    echo "kafka: the jars could not be resolved; tests on a broker will skip"
fi
exit 0
