# The cluster's certificate authority, and a key, a certificate and a kubeconfig for each of its programs. Sourced by cluster.sh.
# shellcheck shell=bash disable=SC2154

pki=$state/pki

# issue NAME SUBJECT [SAN]: a key and a certificate, good for a server and for a client.
issue() {
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$pki/$1.key" -subj "$2" -out "$pki/$1.csr"
    openssl x509 -req -in "$pki/$1.csr" -CA "$pki/ca.crt" -CAkey "$pki/ca.key" -CAcreateserial -days 365 -out "$pki/$1.crt" \
        -extfile <(printf 'extendedKeyUsage=serverAuth,clientAuth\n%s\n' "${3:+subjectAltName=$3}")
}

# config NAME: its kubeconfig.
config() {
    cat >"$state/$1.conf" <<E
apiVersion: v1
kind: Config
current-context: local
contexts: [{name: local, context: {cluster: local, user: $1}}]
clusters: [{name: local, cluster: {server: "https://$node_ip:6443", certificate-authority: $pki/ca.crt}}]
users: [{name: $1, user: {client-certificate: $pki/$1.crt, client-key: $pki/$1.key}}]
E
}

credentials() {
    local name names=DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc
    mkdir -p "$pki"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$pki/ca.key" -out "$pki/ca.crt" -days 365 \
        -subj /CN=local-ca -addext keyUsage=critical,keyCertSign,digitalSignature
    openssl genrsa -out "$pki/sa.key" 2048
    openssl rsa -in "$pki/sa.key" -pubout -out "$pki/sa.pub"
    issue apiserver /CN=kube-apiserver "IP:$node_ip,IP:127.0.0.1,IP:$api_ip,$names,DNS:kubernetes.default.svc.cluster.local"
    issue admin /O=system:masters/CN=admin
    issue controller-manager /CN=system:kube-controller-manager
    issue scheduler /CN=system:kube-scheduler
    issue proxy /CN=system:kube-proxy
    issue kubelet /O=system:nodes/CN=system:node:node1 "IP:$node_ip,DNS:node1"
    issue front-proxy /CN=front-proxy-client
    for name in admin controller-manager scheduler proxy kubelet; do config "$name"; done
}
