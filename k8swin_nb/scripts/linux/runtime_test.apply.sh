# Run a container once, to prove that the runtime works; its image is pulled only if it is not there.
set -euo pipefail
: "${RUNTIME_TEST_IMAGE:?for example docker.io/library/hello-world:latest}"
# uses: use_proxy

images=$(ctr -n k8s.io images ls -q)
install -d -m 0755 /etc/k8swin
if ! grep -q -x -F "$RUNTIME_TEST_IMAGE" <<<"$images"; then
  echo "$RUNTIME_TEST_IMAGE" >>/etc/k8swin/images
  use_proxy
  ctr -n k8s.io images pull "$RUNTIME_TEST_IMAGE"
fi
ctr -n k8s.io run --rm "$RUNTIME_TEST_IMAGE" "k8swin-runtime-test-$$"
echo "$RUNTIME_TEST_IMAGE on $(containerd --version | awk '{ print $3 }')" >/etc/k8swin/runtime-tested
echo "a container ran from $RUNTIME_TEST_IMAGE"
