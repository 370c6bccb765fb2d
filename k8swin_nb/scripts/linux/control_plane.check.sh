# Is there a control plane, and is it the planned one? A cluster with other networks is left alone.
set -euo pipefail
: "${KUBERNETES_VERSION:?for example 1.36.4}"
: "${POD_SUBNET:?for example 10.244.0.0/16}"
: "${SERVICE_SUBNET:?for example 10.96.0.0/12}"
: "${API_CERTIFICATE_NAMES:?names and addresses that its certificate has, separated by spaces}"
: "${READY_PATH:?readiness path of the API server, for example /readyz}"
: "${API_ENDPOINT:?host and port of the API server, for example 192.168.160.2:6443}"
: "${API_PORT:=6443}"
# uses: api_trouble foreign_control_plane

admin=/etc/kubernetes/admin.conf
if [ -e /etc/k8swin/kubeadm-init.started ]; then
  echo "would: control plane: an interrupted kubeadm init -> reset, and kubeadm init again"
  echo "an earlier kubeadm init was interrupted"
  exit 10
fi
if [ ! -e "$admin" ]; then
  leftovers=$(
    find /etc/kubernetes/manifests /var/lib/etcd -mindepth 1 -maxdepth 1 2>/dev/null || true
    find /etc/kubernetes/{super-admin,kubelet,bootstrap-kubelet,controller-manager,scheduler}.conf 2>/dev/null || true
  )
  if [ -n "$leftovers" ]; then
    echo "no $admin, but traces of a control plane: ${leftovers//$'\n'/ }"
    exit 20
  fi
  echo "would: control plane: none -> kubeadm init with /etc/k8swin/kubeadm-init.yaml, Kubernetes $KUBERNETES_VERSION"
  echo "no control plane on this host"
  exit 10
fi
foreign=$(foreign_control_plane "$API_ENDPOINT" "$API_PORT")
if [ -n "$foreign" ]; then
  echo "$foreign"
  exit 20
fi
for _ in 1 2 3 4 5 6 7 8 9 10; do
  if ready=$(kubectl --kubeconfig "$admin" get --raw "$READY_PATH" 2>&1); then break; fi
  sleep 2
done
if [ "$ready" != ok ]; then
  api_trouble "$ready"
  echo "the API server is not ready: $ready" >&2
  exit 1
fi
config=$(kubectl --kubeconfig "$admin" -n kube-system get configmap kubeadm-config -o 'jsonpath={.data.ClusterConfiguration}')
value() { awk -v key="$1:" '$1 == key { print $2; exit }' <<<"$config"; }
certificate=/etc/kubernetes/pki/apiserver.crt
# An old openssl shows a certificate as a whole or not at all.
names=$({ openssl x509 -noout -ext subjectAltName -in $certificate 2>/dev/null || openssl x509 -noout -text -in $certificate; } | grep -o -E '(DNS|IP Address):[^, ]+' | cut -d : -f 2- || true)
missing=
for name in $API_CERTIFICATE_NAMES; do
  grep -q -x -F -e "$name" <<<"$names" || missing+=" $name"
done
if [ -n "$missing" ]; then
  echo "hint: take the names out of \`api_certificate_names\`; or, on this host, move /etc/kubernetes/pki/apiserver.crt and apiserver.key away, type kubeadm init phase certs apiserver --config /etc/k8swin/kubeadm-init.yaml, and end the API server's container, which starts anew"
  echo "the API server's certificate does not name$missing; it names ${names//$'\n'/ }"
  exit 20
fi
for pair in "podSubnet=$POD_SUBNET" "serviceSubnet=$SERVICE_SUBNET" "kubernetesVersion=v$KUBERNETES_VERSION"; do
  found=$(value "${pair%%=*}")
  if [ "$found" != "${pair#*=}" ]; then
    echo "the cluster on this host has ${pair%%=*} $found, the plan has ${pair#*=}"
    exit 20
  fi
done
echo "the control plane answers, pods $POD_SUBNET, services $SERVICE_SUBNET"
