#!/bin/sh
# Resolves a real Apache Kafka (tests/pom.xml) into .cache/kafka, where it is absent and we may.
# Without it the tests that need a broker skip, so nothing here fails: one line says what happened.
set -u
cd "$(dirname "$0")/../.." || exit 0

lib=.cache/kafka/$(sha256sum tests/pom.xml | cut -c1-12)
[ -e "$lib/kafka_2.13.done" ] && exit 0

is_there() { command -v mvn >/dev/null && command -v java >/dev/null; }
is_there || tests/setup/install.sh kafka "tests on a broker" default-jre-headless maven
is_there || exit 0

log=$(mktemp)
trap 'rm -f "$log"' EXIT
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
