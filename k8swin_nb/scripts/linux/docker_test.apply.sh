# Run a container once, to prove that Docker works; its image is pulled only if it is not there.
set -euo pipefail
: "${RUNTIME_TEST_IMAGE:?for example docker.io/library/hello-world:latest}"
# uses: full_image

install -d -m 0755 /etc/k8swin
if ! docker image inspect "$RUNTIME_TEST_IMAGE" >/dev/null 2>&1; then
  full_image "$RUNTIME_TEST_IMAGE" >>/etc/k8swin/images
  docker pull "$RUNTIME_TEST_IMAGE"
fi
docker run --rm "$RUNTIME_TEST_IMAGE"
echo "$RUNTIME_TEST_IMAGE on Docker $(docker version --format '{{.Server.Version}}')" >/etc/k8swin/runtime-tested
echo "a container ran from $RUNTIME_TEST_IMAGE"
