# Collect what shows why a cluster does not work, and change nothing.
#
# Sections begin with `== NAME`. What cannot be had says so in its section and stops nothing. Every part is
# bounded: the last lines of logs, the last events. No key, no token and no password is printed.
set -euo pipefail
log_lines=60
event_lines=200
export LC_ALL=C
admin=/etc/kubernetes/admin.conf

# An API server that accepts and never answers must not hold up the rest.
ask() { timeout 20 kubectl "$@"; }
section() { # NAME COMMAND...
  local name=$1
  shift
  printf '\n== %s\n' "$name"
  "$@" 2>&1 || printf '(not to be had: %s ended with %s)\n' "$1" "$?"
}

host() {
  printf 'name\t%s\n' "$(hostname)"
  printf 'time\t%s\n' "$(date -u +%s)"
  printf 'uptime\t%s\n' "$(cut -d' ' -f1 /proc/uptime)"
  printf 'kernel\t%s\n' "$(uname -r)"
  # shellcheck source=/dev/null
  printf 'system\t%s\n' "$(. /etc/os-release && echo "${PRETTY_NAME:-$ID}")"
  # Names of a machine are compared, not shown.
  printf 'machine-id\t%s\n' "$(sha256sum /etc/machine-id | cut -c1-16)"
  if [ -r /sys/class/dmi/id/product_uuid ]; then
    printf 'product-uuid\t%s\n' "$(sha256sum /sys/class/dmi/id/product_uuid | cut -c1-16)"
  fi
  printf 'swap\t%s\n' "$(awk 'NR > 1 { print $1 }' /proc/swaps | tr '\n' ' ')"
  if [ -e /etc/kubernetes/kubelet.conf ]; then echo "kubelet.conf	yes"; else echo "kubelet.conf	no"; fi
}

services() {
  local name
  for name in kubelet containerd docker; do
    printf '%s\t%s\t%s\n' "$name" "$(systemctl is-active "$name" 2>/dev/null || true)" "$(systemctl is-enabled "$name" 2>/dev/null || true)"
  done
}

versions() {
  if command -v kubelet >/dev/null; then printf 'kubelet\t%s\n' "$(kubelet --version)"; fi
  if command -v kubeadm >/dev/null; then printf 'kubeadm\t%s\n' "$(kubeadm version -o short)"; fi
  if command -v containerd >/dev/null; then printf 'containerd\t%s\n' "$(containerd --version)"; fi
  if command -v docker >/dev/null; then printf 'docker\t%s\n' "$(docker --version)"; fi
}

unit_log() { journalctl -u "$1" -n "$log_lines" --no-pager -o cat; }

cni() { # name, first three bytes, content
  local file
  for file in /etc/cni/net.d/*; do
    [ -f "$file" ] || continue
    printf '%s\t%s\t%s\n' "${file##*/}" "$(head -c 3 "$file" | od -An -tx1 | tr -d ' \n')" "$(base64 -w0 <"$file")"
  done
}

certificates() { # path, end of validity
  local file
  for file in /etc/kubernetes/pki/*.crt /etc/kubernetes/pki/etcd/*.crt /var/lib/kubelet/pki/kubelet-client-current.pem; do
    [ -f "$file" ] || continue
    printf '%s\t%s\n' "$file" "$(openssl x509 -enddate -noout -in "$file")"
  done
}

proxies() { # a user name and a password in an address are left out
  { env; cat /etc/environment 2>/dev/null || true; } | grep -i -E '^(https?|no|all)_proxy=' | sed -E 's#(="?([a-z]+://)?).*@#\1#I' || true
}

forward_policy() { iptables -S FORWARD | sed -n 1p; }
last_events() {
  ask get events --all-namespaces --field-selector type=Warning \
    -o 'jsonpath={range .items[*]}{.lastTimestamp}{"\t"}{.involvedObject.namespace}/{.involvedObject.name}{"\t"}{.count}{"\t"}{.reason}: {.message}{"\n"}{end}' |
    sort | tail -n "$event_lines"
}
nodes() { # name, system, address, podCIDR, kubelet, Ready, flannel's address, reason
  ask get nodes \
    -o 'jsonpath={range .items[*]}{.metadata.name}{"\t"}{.status.nodeInfo.operatingSystem}{"\t"}{.status.addresses[?(@.type=="InternalIP")].address}{"\t"}{.spec.podCIDR}{"\t"}{.status.nodeInfo.kubeletVersion}{"\t"}{.status.conditions[?(@.type=="Ready")].status}{"\t"}{.metadata.annotations.flannel\.alpha\.coreos\.com/public-ip}{"\t"}{.status.conditions[?(@.type=="Ready")].message}{"\n"}{end}'
}
conditions() {
  ask get nodes \
    -o 'jsonpath={range .items[*]}{.metadata.name}{range .status.conditions[*]}{"\t"}{.type}={.status}{end}{"\n"}{end}'
}
cluster_services() { # namespace/name, type, cluster address, port:nodePort ...
  ask get services --all-namespaces \
    -o 'jsonpath={range .items[*]}{.metadata.namespace}/{.metadata.name}{"\t"}{.spec.type}{"\t"}{.spec.clusterIP}{"\t"}{range .spec.ports[*]}{.port}:{.nodePort} {end}{"\n"}{end}'
}
daemons() { # namespace/name, node selector, affinity
  ask get daemonsets,deployments --all-namespaces \
    -o 'jsonpath={range .items[*]}{.metadata.namespace}/{.metadata.name}{"\t"}{.spec.template.spec.nodeSelector}{"\t"}{.spec.template.spec.affinity}{"\n"}{end}'
}
pods() { # namespace/name, node, phase; those that neither run nor have ended
  ask get pods --all-namespaces --field-selector 'status.phase!=Running,status.phase!=Succeeded' \
    -o 'jsonpath={range .items[*]}{.metadata.namespace}/{.metadata.name}{"\t"}{.spec.nodeName}{"\t"}{.status.phase}{"\t"}{.status.containerStatuses[*].state.waiting.reason}{"\n"}{end}' |
    tail -n "$event_lines"
}
windows_pods() { # namespace/name, node, selector, affinity; what runs on Windows nodes in system namespaces
  local name
  for name in $(ask get nodes -l kubernetes.io/os=windows -o 'jsonpath={.items[*].metadata.name}'); do
    ask get pods --all-namespaces --field-selector "spec.nodeName=$name" \
      -o 'jsonpath={range .items[*]}{.metadata.namespace}/{.metadata.name}{"\t"}{.spec.nodeName}{"\t"}{.spec.nodeSelector}{"\t"}{.spec.affinity}{"\n"}{end}'
  done
}
cluster_networks() { ask -n kube-system get configmap kubeadm-config -o 'jsonpath={.data.ClusterConfiguration}' | grep -E 'Subnet|kubernetesVersion'; }
net_conf() { # the manifest's namespace changed with its generation
  ask -n kube-flannel get configmap kube-flannel-cfg -o 'jsonpath={.data.net-conf\.json}' 2>/dev/null ||
    ask -n kube-system get configmap kube-flannel-cfg -o 'jsonpath={.data.net-conf\.json}'
}
dns_address() { ask -n kube-system get service kube-dns -o 'jsonpath={.spec.clusterIP}{"\n"}'; }
# The six characters before the dot name a token; those behind it are the secret.
tokens() { kubeadm token list --kubeconfig "$admin" | awk 'NR > 1 { print substr($1, 1, 6) "\t" $2 "\t" $3 }'; }
pod_log() { ask -n "$1" logs -l "$2" --tail=20; }
kubelet_ports() { # name, address, what a connection to port 10250 said
  ask get nodes \
    -o 'jsonpath={range .items[*]}{.metadata.name}{"\t"}{.status.addresses[?(@.type=="InternalIP")].address}{"\n"}{end}' |
    while IFS=$'\t' read -r name address; do
      code=0
      curl -sk -o /dev/null --noproxy '*' --max-time 4 "https://$address:10250/healthz" || code=$?
      printf '%s\t%s\t%s\n' "$name" "$address" "$code"
    done
}

section host host
section services services
section versions versions
section disk df -Pm /
section addresses ip -4 -o addr show
section links ip -o link show
section routes ip -4 route show
section forward forward_policy
section resolv cat /etc/resolv.conf
section cni cni
section certificates certificates
section proxies proxies
section 'log kubelet' unit_log kubelet
section 'log containerd' unit_log containerd
if command -v docker >/dev/null; then section 'log docker' unit_log docker; fi
if [ -r "$admin" ] && command -v kubectl >/dev/null; then
  export KUBECONFIG=$admin
  section nodes nodes
  section conditions conditions
  section events last_events
  section cluster-services cluster_services
  section daemons daemons
  section pods pods
  section windows-pods windows_pods
  section cluster-networks cluster_networks
  section net-conf net_conf
  section dns-address dns_address
  section tokens tokens
  section kubelet-ports kubelet_ports
  section 'log coredns' pod_log kube-system k8s-app=kube-dns
  section 'log flannel' pod_log kube-flannel app=flannel
  section 'log kube-proxy' pod_log kube-system k8s-app=kube-proxy
fi
