#!/bin/sh
# Builds a Kubernetes control plane, kwok and KEDA from their Go modules, once, into .cache/cluster:
# what `make cluster-test` runs. tests/setup/cluster/go.mod names all versions, go.sum their checksums.
set -eu
cd "$(dirname "$0")/../.."

source=tests/setup/cluster
operator=github.com/prometheus-operator/prometheus-operator@v0.85.0
key=$(cat tests/setup/cluster.sh $source/go.mod $source/go.sum | sha256sum | cut -c1-12)
there=$PWD/.cache/cluster/$key
[ -e "$there/done" ] && exit 0

if ! command -v go >/dev/null; then
    echo "cluster: Go is absent, and it builds the control plane; install Go 1.26 or newer" >&2
    exit 1
fi

export CGO_ENABLED=0 GOWORK=off GOFLAGS="-mod=readonly -buildvcs=false"
mkdir -p "$there/bin" "$there/crds"
cd $source

echo "cluster: fetching the modules (1 GB, once)"
go mod download k8s.io/kubernetes
kubernetes=$(go list -m -f '{{.Version}}' k8s.io/kubernetes)
keda=$(go list -m -f '{{.Dir}}' github.com/kedacore/keda/v2)
kwok=$(go list -m -f '{{.Dir}}' sigs.k8s.io/kwok)

# A copy of KEDA's source, with those of its 70 triggers that the chart has: clients of databases and
# clouds are 1,400 of the packages that it is made of. And its adapter serves its own metrics on
# loopback, where all tests listen, instead of on every address.
rm -rf "$there/keda"
cp -r "$keda" "$there/keda"
chmod -R u+w "$there/keda"
triggers=$there/keda/pkg/scalers
find "$triggers" -maxdepth 1 -name '*.go' ! -name scaler.go ! -name cron_scaler.go \
    ! -name kafka_scaler.go ! -name prometheus_scaler.go -delete
echo 'const externalMetricType = "External" // as in azure_queue_scaler.go' >>"$triggers/scaler.go"
awk '/TRIGGERS-START/ { inside = 1 } /TRIGGERS-END/ { inside = 0 }
    inside && /^\tcase / { left_out = !/"(cron|kafka|prometheus)"/ }
    /^\tdefault:/ { left_out = 0 }
    !(inside && left_out)' "$keda/pkg/scaling/scalers_builder.go" \
    >"$there/keda/pkg/scaling/scalers_builder.go"
sed 's/Sprintf(":%v", metricsAPIServerPort)/Sprintf("127.0.0.1:%v", metricsAPIServerPort)/' \
    "$keda/cmd/adapter/main.go" >"$there/keda/cmd/adapter/main.go"
cp go.mod go.sum "$there"
go mod edit -replace "github.com/kedacore/keda/v2=$there/keda" "$there/go.mod"

version=k8s.io/component-base/version
stamp="-X $version.gitVersion=$kubernetes -X $version.gitMajor=1"
stamp="$stamp -X $version.gitMinor=$(echo "$kubernetes" | cut -d. -f2)"
at=0
build() {
    at=$((at + 1))
    [ -x "$there/bin/$1" ] && return
    echo "cluster: building $1 ($at of 8)"
    # Under another name until it is whole: whoever is cut off here goes on with it next time.
    go build -modfile "$there/go.mod" -ldflags "-s -w $stamp" -o "$there/bin/.$1" "$2"
    mv "$there/bin/.$1" "$there/bin/$1"
}
build etcd go.etcd.io/etcd/server/v3
for each in kube-apiserver kube-controller-manager kube-scheduler kubectl; do
    build $each k8s.io/kubernetes/cmd/$each
done
build kwok sigs.k8s.io/kwok/cmd/kwok
build keda-adapter github.com/kedacore/keda/v2/cmd/adapter
build keda-operator github.com/kedacore/keda/v2/cmd/operator

echo "cluster: copying definitions of custom resources, and what kwok does with nodes and pods"
monitoring=$(cd / && go mod download -json "$operator" | sed -n 's/.*"Dir": "\(.*\)".*/\1/p')
cp "$keda"/config/crd/bases/*.yaml "$monitoring"/example/prometheus-operator-crd/*.yaml "$there/crds"
for each in node/fast/node-initialize node/heartbeat-with-lease/node-heartbeat-with-lease \
    pod/fast/pod-ready pod/fast/pod-complete pod/fast/pod-delete; do
    echo ---
    cat "$kwok/kustomize/stage/$each.yaml"
done >"$there/stages.yaml"
for each in rbac/role rbac/role_binding metrics-server/role metrics-server/role_binding; do
    echo ---
    cat "$keda/config/$each.yaml"
done >"$there/keda-roles.yaml"
chmod -R u+w "$there"
rm -rf "$there/keda"
touch "$there/done"
echo "cluster: $(du -sh "$there" | cut -f1) in .cache/cluster"
