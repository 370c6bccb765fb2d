# Are packages and package sources as they were found? Packages that were installed here stay unless asked.
set -euo pipefail
: "${REMOVE_PACKAGES:?true or false}"
# uses: needed_if_any was_written

left=()
[ ! -s /etc/k8swin/held ] || left+=("held: $(sort -u /etc/k8swin/held | tr '\n' ' ')")
for file in /etc/apt/sources.list.d/k8swin.list /etc/apt/keyrings/k8swin-kubernetes.gpg /etc/apt/keyrings/k8swin-docker.gpg; do
  if was_written "$file"; then left+=("$file"); fi
done
if [ -s /etc/k8swin/made ]; then left+=("$(sort -u /etc/k8swin/made | tr '\n' ' ')"); fi
installed=
if [ -s /etc/k8swin/packages ]; then
  installed=$(sort -u /etc/k8swin/packages | tr '\n' ' ')
  [ "$REMOVE_PACKAGES" = false ] || left+=("packages: $installed")
fi
if [ -d /etc/k8swin/downloads ]; then
  programs=$(find /etc/k8swin/downloads -type f -exec basename {} \; | sort | tr '\n' ' ')
  installed+=$programs
  [ "$REMOVE_PACKAGES" = false ] || left+=("programs without a package: $programs")
fi
needed_if_any "to be released or removed" "${left[@]}"
echo "package sources are as they were found${installed:+, packages that were installed here stay: $installed}"
