# Run a container once, to prove that the runtime works; its image is pulled only if it is not there.
#
# It is pulled as the kubelet would pull it, from the mirrors and with the logins that the configuration names: by crictl,
# or by ctr where the packages bring none, which reads the same mirrors and knows no logins.
set -euo pipefail
: "${RUNTIME_TEST_IMAGE:?for example docker.io/library/hello-world:latest}"
# uses: full_image use_proxy

image=$(full_image "$RUNTIME_TEST_IMAGE")
images=$(ctr -n k8s.io images ls -q)
install -d -m 0755 /etc/k8swin
if ! grep -q -x -F -e "$image" <<<"$images"; then
  echo "$image" >>/etc/k8swin/images
  if command -v crictl >/dev/null; then
    crictl --runtime-endpoint unix:///run/containerd/containerd.sock pull "$image"
  else
    hosts=$(containerd config dump | awk -F "[\"']" '/\.registry["\047]?\]$/ { inside = 1; next } /^ *\[/ { inside = 0 } inside && $1 ~ /config_path *= *$/ { print $2; exit }')
    use_proxy
    # Of several folders the first one counts for ctr.
    ctr -n k8s.io images pull ${hosts:+--hosts-dir "${hosts%%:*}"} "$image"
  fi
fi
ctr -n k8s.io run --rm "$image" "k8swin-runtime-test-$$"
echo "$RUNTIME_TEST_IMAGE on $(containerd --version | awk '{ print $3 }')" >/etc/k8swin/runtime-tested
echo "a container ran from $RUNTIME_TEST_IMAGE"
