# Has a container been run with this version of Docker?
set -euo pipefail
: "${RUNTIME_TEST_IMAGE:?for example docker.io/library/hello-world:latest}"

stamp=/etc/k8swin/runtime-tested
wanted="$RUNTIME_TEST_IMAGE on Docker $(docker version --format '{{.Server.Version}}' 2>/dev/null || true)"
found=$(cat "$stamp" 2>/dev/null || true)
if [ "$found" != "$wanted" ]; then
  echo "would: container of $RUNTIME_TEST_IMAGE: ${found:-never run} -> run once and removed"
  echo "no container was run yet from $wanted"
  exit 10
fi
echo "a container ran from $found"
