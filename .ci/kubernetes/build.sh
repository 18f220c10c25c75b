#!/usr/bin/env bash
#
# Builds the programs of the test's Kubernetes into target/kubernetes/bin: Kubernetes itself and etcd (node/), CoreDNS, kube-router
# and metrics-server, from the modules that the go.mod of each folder pins, and the pause program in C.
#
#   build.sh [node | coredns | kube-router | metrics-server | pause]...      all of them, if none is named
#
# A cold build of all takes 17 minutes of processor time, and fills Go's cache with 4 GB. What was built from the same sources is
# not built again. JOBS (2) is how many compilers run at once.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../lib.sh
source "$here/../lib.sh"
bin=${K8S_BIN:-$here/../../target/kubernetes/bin}
logs=$bin

# The version that node/go.mod asks for: go.mod is the only place where it is written.
version=$(sed -n 's/^require k8s\.io\/kubernetes \(v[0-9.]*\).*/\1/p' "$here/node/go.mod")

go_build() { go build -p "${JOBS:-2}" -ldflags "-s -w ${flags:-}" -o "$bin/" "$@"; }

build_node() {
    local package=k8s.io/component-base/version minor=${version#v1.} flags program
    # Without these Kubernetes takes itself for v0.0.0, and refuses clients and nodes as too new.
    flags="-X $package.gitVersion=$version -X $package.gitMajor=1 -X $package.gitMinor=${minor%%.*} -X $package.gitTreeState=clean"
    flags+=" -X $package.gitCommit=module -X $package.buildDate=1970-01-01T00:00:00Z"
    flags+=" -X k8s.io/client-go/pkg/version.gitVersion=$version"
    go_build k8s.io/kubernetes/cmd/{kube-apiserver,kube-controller-manager,kube-scheduler,kubelet,kube-proxy,kubectl}
    go build -p "${JOBS:-2}" -ldflags "-s -w" -o "$bin/etcd" go.etcd.io/etcd/server/v3
}

build_coredns() { go_build .; }
build_kube-router() { go_build github.com/cloudnativelabs/kube-router/v2/cmd/kube-router; }
build_metrics-server() { go_build sigs.k8s.io/metrics-server/cmd/metrics-server; }
build_pause() { gcc -O2 -static -s -o "$bin/pause" pause.c; }

programs() {
    case $1 in
    node) echo kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy kubectl etcd ;;
    *) echo "$1" ;;
    esac
}

# What a program is built from: this script, the files of its folder, and the compiler.
sources() {
    {
        cat "${BASH_SOURCE[0]}" "$here/$1"/*
        if [[ $1 == pause ]]; then gcc --version; else (cd "$here/$1" && go version); fi
    } | sha256sum
}

build() {
    local stamp=$bin/.$1 program missing='' begin=$SECONDS
    for program in $(programs "$1"); do [[ -x $bin/$program ]] || missing=yes; done
    if [[ ! $missing && $(cat "$stamp" 2>/dev/null) == "$(sources "$1")" ]]; then return; fi
    say "building $(programs "$1")"
    (cd "$here/$1" && "build_$1") || die "cannot build: $(programs "$1")"
    sources "$1" >"$stamp"
    say "built in $((SECONDS - begin)) s"
}

mkdir -p "$bin"
bin=$(cd "$bin" && pwd)
[[ $version ]] || die "node/go.mod requires no k8s.io/kubernetes"
need_go
has gcc || die "needs gcc"
if (($# == 0)); then set -- node coredns kube-router metrics-server pause; fi
for part in "$@"; do
    declare -F "build_$part" >/dev/null || die "nothing to build is called $part"
    build "$part"
done
