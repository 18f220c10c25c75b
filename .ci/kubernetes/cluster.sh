#!/usr/bin/env bash
#
# A real Kubernetes of one node for the tests, where no image registry and no cluster can be reached: built from what Debian and the
# Go module proxy have, and run in namespaces of its own. As root, on cgroup version 1; it ends with 3 where it cannot run.
#
#   cluster.sh check                 ends with 3, and says why, where no node can run
#   cluster.sh packages              installs containerd, runc, the CNI plugins and small tools, from Debian
#   cluster.sh build                 builds the programs (build.sh)
#   cluster.sh up                    starts the node; returns when it is Ready and its DNS answers
#   cluster.sh images                gives the node the images that the manifests name (images.sh)
#   cluster.sh metrics               adds metrics-server: `kubectl top`, numbers for a HorizontalPodAutoscaler
#   cluster.sh netpol                from now on NetworkPolicies are enforced
#   cluster.sh crds                  adds the resources of prometheus-operator and KEDA that the manifests use, without operators
#   cluster.sh load-image X [NAME]   an image of the local Docker engine, or a tar of `docker save`; NAME: what it is called there
#   cluster.sh program-image NAME    a program from the folder of programs, alone in an image docker.io/local/NAME:1
#   cluster.sh kubectl ARGS          as cluster-admin
#   cluster.sh exec COMMAND          runs it inside the node: addresses of pods and services exist only there
#   cluster.sh down                  ends it, and removes all it has left; also after a crash
#
# Programs are in target/kubernetes/bin (or K8S_BIN), what the node stores and its logs in target/kubernetes/state (or K8S_STATE).
#
# What differs from a cluster elsewhere: one node; no Ingress controller; 14 volumes made beforehand, each used once; images cannot
# be pulled, so imagePullPolicy: Always fails. docker.io/local/busybox:1 is there for probes (`timeout N wget`, not `wget -T`).
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=../lib.sh
source "$here/../lib.sh"
target=$(realpath -m "$here/../../target/kubernetes")
bin=$(realpath -m "${K8S_BIN:-$target/bin}")
if [[ ${1:-} == init ]]; then state=$2; else state=$(realpath -m "${K8S_STATE:-$target/state}"); fi
service_cidr=10.96.0.0/16
api_ip=10.96.0.1
dns_ip=10.96.0.10 # as in manifests/coredns.yaml
pod_cidr=10.244.0.0/16
# shellcheck source=node.sh
source "$here/node.sh"
# shellcheck source=credentials.sh
source "$here/credentials.sh"

cannot() { say "cannot run here: $*" >&2; exit 3; }

packages() {
    local pair missing=() needed=(containerd:containerd runc:runc iptables:iptables nft:nftables conntrack:conntrack
        ipset:ipset ip:iproute2 ethtool:ethtool openssl:openssl busybox:busybox gcc:gcc python3:python3 nsenter:util-linux find:findutils)
    for pair in "${needed[@]}"; do has "${pair%%:*}" || missing+=("${pair##*:}"); done
    [[ -x /usr/lib/cni/ptp ]] || missing+=(containernetworking-plugins)
    [[ -e /usr/include/stdlib.h ]] || missing+=(libc6-dev)
    ((${#missing[@]})) || return 0
    has apt-get || die "without apt, please install: ${missing[*]}"
    say "installing ${missing[*]}"
    mkdir -p "$target"
    logs=$target
    logged apt-update apt-get update
    logged apt-install env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}"
}

kubectl() { inside "$bin/kubectl" --kubeconfig "$state/admin.conf" "$@"; }

# --- the programs of the node --------------------------------------------------------------------------------------

start_api() {
    start etcd "$bin/etcd" --data-dir "$state/etcd" --listen-client-urls http://127.0.0.1:2379 \
        --advertise-client-urls http://127.0.0.1:2379 --listen-peer-urls http://127.0.0.1:2380 --unsafe-no-fsync
    start apiserver "$bin/kube-apiserver" --etcd-servers=http://127.0.0.1:2379 --advertise-address="$node_ip" \
        --service-cluster-ip-range="$service_cidr" --tls-cert-file="$pki/apiserver.crt" --tls-private-key-file="$pki/apiserver.key" \
        --client-ca-file="$pki/ca.crt" --service-account-issuer=https://kubernetes.default.svc \
        --service-account-key-file="$pki/sa.pub" --service-account-signing-key-file="$pki/sa.key" \
        --authorization-mode=Node,RBAC --enable-admission-plugins=NodeRestriction --allow-privileged=true \
        --kubelet-client-certificate="$pki/admin.crt" --kubelet-client-key="$pki/admin.key" \
        --kubelet-certificate-authority="$pki/ca.crt" --kubelet-preferred-address-types=InternalIP \
        --requestheader-client-ca-file="$pki/ca.crt" --requestheader-allowed-names=front-proxy-client \
        --requestheader-extra-headers-prefix=X-Remote-Extra- --requestheader-group-headers=X-Remote-Group \
        --requestheader-username-headers=X-Remote-User --proxy-client-cert-file="$pki/front-proxy.crt" \
        --proxy-client-key-file="$pki/front-proxy.key" --enable-aggregator-routing=true
}

start_controllers() {
    start controller-manager "$bin/kube-controller-manager" --kubeconfig="$state/controller-manager.conf" \
        --service-account-private-key-file="$pki/sa.key" --root-ca-file="$pki/ca.crt" --use-service-account-credentials \
        --cluster-signing-cert-file="$pki/ca.crt" --cluster-signing-key-file="$pki/ca.key" --leader-elect=false \
        --allocate-node-cidrs=true --cluster-cidr="$pod_cidr" --service-cluster-ip-range="$service_cidr" \
        --flex-volume-plugin-dir=/var/lib/kubelet/volumeplugins
    start scheduler "$bin/kube-scheduler" --kubeconfig="$state/scheduler.conf" --leader-elect=false
}

start_runtime() {
    mkdir -p "$state/cni"
    cat >"$state/cni/10-ptp.conflist" <<E
{"cniVersion": "0.4.0", "name": "pods", "plugins": [
  {"type": "ptp", "mtu": 1500, "ipMasq": false,
   "ipam": {"type": "host-local", "dataDir": "/run/cni-addresses", "ranges": [[{"subnet": "${pod_cidr%/*}/24"}]],
            "routes": [{"dst": "0.0.0.0/0"}]}},
  {"type": "portmap", "capabilities": {"portMappings": true}}]}
E
    cat >"$state/containerd.toml" <<E
version = 2
root = "$state/containerd"
[grpc]
  address = "/run/containerd/containerd.sock"
[plugins."io.containerd.internal.v1.opt"]
  path = "$state/containerd-opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "docker.io/local/pause:1"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "$state/cni"
E
    start containerd containerd --config "$state/containerd.toml"
}

start_kubelet() {
    cat >"$state/kubelet.yaml" <<E
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
containerRuntimeEndpoint: unix:///run/containerd/containerd.sock
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: $pki/ca.crt}}
authorization: {mode: Webhook}
tlsCertFile: $pki/kubelet.crt
tlsPrivateKeyFile: $pki/kubelet.key
volumePluginDir: /var/lib/kubelet/volumeplugins
cgroupDriver: cgroupfs
failCgroupV1: false
failSwapOn: false
oomScoreAdj: 0
clusterDNS: [$dns_ip]
clusterDomain: cluster.local
resolvConf: ""
# Images cannot be pulled again, so none is removed.
imageGCHighThresholdPercent: 100
imagePullCredentialsVerificationPolicy: NeverVerify
serializeImagePulls: false
evictionHard: {memory.available: 200Mi, nodefs.available: 1%, imagefs.available: 1%}
E
    start kubelet "$bin/kubelet" --config="$state/kubelet.yaml" --kubeconfig="$state/kubelet.conf" --hostname-override=node1 \
        --node-ip="$node_ip"
}

# The zeros: connection tracking has limits for the whole machine, which stay as they are.
start_proxy() {
    cat >"$state/proxy.yaml" <<E
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
clientConnection: {kubeconfig: $state/proxy.conf}
mode: nftables
clusterCIDR: $pod_cidr
oomScoreAdj: 0
conntrack: {maxPerCore: 0, min: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}
E
    start proxy "$bin/kube-proxy" --config="$state/proxy.yaml" --hostname-override=node1
}

# A default storage class and 14 local volumes made beforehand: unlike a hostPath, a local volume takes a pod's fsGroup.
# A volume is used once: after its claim is deleted it stays as Released.
storage() {
    local n
    {
        cat <<E
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata: {name: standard, annotations: {storageclass.kubernetes.io/is-default-class: "true"}}
provisioner: kubernetes.io/no-provisioner
volumeBindingMode: WaitForFirstConsumer
E
        for n in {0..13}; do
            mkdir -p "$state/volumes/$n"
            cat <<E
---
apiVersion: v1
kind: PersistentVolume
metadata: {name: local-$n}
spec:
  storageClassName: standard
  capacity: {storage: 20Gi}
  accessModes: [ReadWriteOnce]
  persistentVolumeReclaimPolicy: Retain
  local: {path: $state/volumes/$n}
  nodeAffinity:
    required: {nodeSelectorTerms: [{matchExpressions: [{key: kubernetes.io/hostname, operator: In, values: [node1]}]}]}
E
        done
    } | kubectl apply -f - >/dev/null
}

# --- up and down ---------------------------------------------------------------------------------------------------

check() {
    ((EUID == 0)) || cannot "it needs root"
    [[ -d /sys/fs/cgroup/memory ]] || cannot "it is written for cgroup version 1, and this machine has version 2"
    unshare --net --mount --pid --uts --ipc --cgroup --fork true 2>/dev/null || cannot "namespaces may not be made"
}

can_run() {
    local program
    check
    case $state/ in /run/* | /var/run/* | /var/lib/* | /var/log/* | /sys/* | /proc/*) die "K8S_STATE cannot be in $state" ;; esac
    for program in containerd runc nft iptables openssl busybox python3; do
        has "$program" || die "$program is missing: cluster.sh packages"
    done
    for program in kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy kubectl etcd coredns pause; do
        [[ -x $bin/$program ]] || die "$program is missing: cluster.sh build"
    done
}

up() {
    local begin=$SECONDS
    set -E
    trap 'say "this failed: $BASH_COMMAND (${BASH_SOURCE[0]##*/}, line $LINENO)" >&2' ERR
    can_run
    if node_runs && [[ -e $state/up ]]; then die "it is up already"; fi
    down >/dev/null # what a crash has left
    mkdir -p "$state"
    touch "$state/.made-by-cluster.sh"
    trap stop_node EXIT # if it fails, only logs stay
    credentials >"$state/credentials.log" 2>&1 || failed "cannot make certificates" credentials
    make_cgroups
    start_node
    start_api
    start_runtime
    until_ok containerd 30 inside ctr version
    program_image pause
    program_image coredns
    busybox_image
    until_ok apiserver 180 kubectl get --raw /readyz
    start_controllers
    start_kubelet
    start_proxy
    until_ok kubelet 120 kubectl wait --for=condition=Ready node/node1 --timeout=1s
    until_ok controller-manager 60 kubectl get serviceaccount default
    storage
    kubectl apply -f "$here/manifests/coredns.yaml" >/dev/null
    until_ok kubelet 120 kubectl -n kube-system rollout status deployment/coredns --timeout=1s
    trap - EXIT
    touch "$state/up"
    say "Kubernetes $(kubectl get node node1 -o 'jsonpath={.status.nodeInfo.kubeletVersion}') is up after $((SECONDS - begin)) s"
}

down() {
    if [[ ! -e $state/.made-by-cluster.sh ]]; then
        [[ ! -d $state || ! $(ls -A "$state") ]] || die "$state is not empty, and nothing of this script is in it"
        say "it is not up"
        return
    fi
    stop_node
    rm -rf "$state"
}

# --- what is added on demand ---------------------------------------------------------------------------------------

# kube-router's firewall alone. (kube-network-policies needs CONFIG_NFT_QUEUE, which not every kernel has.) Security flaws of this
# version are known: it is a tool of the test, and no recommendation.
netpol() {
    if started kube-router; then return; fi
    start kube-router "$bin/kube-router" --kubeconfig="$state/admin.conf" --hostname-override=node1 --run-firewall=true \
        --run-router=false --run-service-proxy=false --service-cluster-ip-range="$service_cidr" --health-port=0
    until_ok kube-router 60 inside sh -c 'iptables -S | grep -q KUBE-ROUTER-FORWARD'
}

metrics() {
    program_image metrics-server
    kubectl apply -f "$here/manifests/metrics-server.yaml" >/dev/null
    until_ok kubelet 120 kubectl top node node1
}

# From the modules of the two operators, which are fetched and not built.
crds() {
    local operator keda name files=()
    need_go
    operator=$(module github.com/prometheus-operator/prometheus-operator v0.93.1 h1:4Juk8v93RdG1DSGD/mGp+SeQKPmnlLIj2iq3blLZgFY=)
    keda=$(module github.com/kedacore/keda/v2 v2.20.2 h1:SR60v8uIcelbveS8n/1jcl8tLdBBIbHMxmdOHw8tKqA=)
    for name in servicemonitors podmonitors prometheusrules alertmanagerconfigs; do
        files+=(-f "$operator/example/prometheus-operator-crd/monitoring.coreos.com_$name.yaml")
    done
    for name in scaledobjects triggerauthentications; do files+=(-f "$keda/config/crd/bases/keda.sh_$name.yaml"); done
    # By the server: they are too large for the annotation in which `kubectl apply` keeps what was last applied.
    kubectl apply --server-side "${files[@]}" >/dev/null
    kubectl wait --for=condition=Established --timeout=30s "${files[@]}" >/dev/null
}

# shellcheck source=images.sh
source "$here/images.sh"

case ${1:-} in
check | packages | up | netpol | metrics | crds | images | down | init) "$1" ;;
build) exec "$here/build.sh" "${@:2}" ;;
load-image) load_image "${@:2}" ;;
program-image) program_image "${2:?which program}" ;;
kubectl) replace="exec" kubectl "${@:2}" ;;
exec) replace="exec" inside "${@:2}" ;;
*) sed -n '3,25s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
