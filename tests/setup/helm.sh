#!/bin/sh
# Builds Helm from its Go module into .cache/helm, once, for tests/deploy, where it is absent and we may;
# beside it the definitions of the custom resources that the chart makes, out of the modules of KEDA and
# of Prometheus' operator. Without them those tests skip, so nothing here fails: one line says what happened.
set -u
cd "$(dirname "$0")/../.." || exit 0

pinned=tests/setup/helm
key=$(cat $pinned/go.mod $pinned/go.sum $pinned/crds.sha256 tests/setup/helm.sh | sha256sum | cut -c1-12)
there=$PWD/.cache/helm/$key
[ -e "$there/done" ] && exit 0

if ! command -v go >/dev/null; then
    echo "helm: absent, and there is no Go to build it; the tests of the chart will skip"
    exit 0
fi

log=$(mktemp)
mkdir -p .cache/helm
new=$(mktemp -d "$PWD/.cache/helm/new.XXXXXX")
trap 'rm -rf "$log" "$new"' EXIT
export CGO_ENABLED=0 GOWORK=off

build() {
    capabilities=helm.sh/helm/v3/pkg/chartutil
    stamp="-s -w -X $capabilities.k8sVersionMajor=1 -X $capabilities.k8sVersionMinor=33"
    (cd $pinned && go build -mod=readonly -trimpath -ldflags "$stamp" -o "$new/helm" \
        helm.sh/helm/v3/cmd/helm)
}
folder() {
    (cd / && go mod download -json "$1") | sed -n 's/.*"Dir": "\(.*\)".*/\1/p'
}
definitions() {
    keda=$(folder github.com/kedacore/keda/v2@v2.21.0)
    operator=$(folder github.com/prometheus-operator/prometheus-operator@v0.85.0)
    cp "$keda"/config/crd/bases/keda.sh_scaledobjects.yaml \
        "$keda"/config/crd/bases/keda.sh_triggerauthentications.yaml \
        "$operator"/example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml \
        "$operator"/example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml \
        "$new" && (cd "$new" && sha256sum -c --quiet) <$pinned/crds.sha256
}

echo "helm: building it from its Go module (some minutes, once)"
if build >"$log" 2>&1 && definitions >"$log" 2>&1; then
    chmod u+w "$new"/*.yaml
    touch "$new/done"
    # Whoever comes second finds the folder there, and its own copy goes.
    mv -T "$new" "$there" 2>/dev/null
else
    tail -n 3 "$log"
    echo "helm: could not be built; the tests of the chart will skip"
fi
exit 0
