# Release held packages, remove the package sources of these notebooks, and if asked the packages they installed.
set -euo pipefail
: "${REMOVE_PACKAGES:?true or false}"
export DEBIAN_FRONTEND=noninteractive
# uses: apt_get forget_written is_alike is_written keep_found put_back take_back was_written

installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null || true)" = installed ]; }
if [ -s /etc/k8swin/held ]; then
  while read -r name; do
    if installed "$name"; then apt-mark unhold "$name"; fi
  done < <(sort -u /etc/k8swin/held)
  rm -f /etc/k8swin/held
fi
if [ "$REMOVE_PACKAGES" = true ] && command -v docker >/dev/null && [ -n "$(docker ps -q 2>/dev/null || true)" ]; then
  if grep -q -x -E 'docker-ce|docker\.io' /etc/k8swin/packages 2>/dev/null || [ -e /etc/k8swin/downloads/docker ]; then
    echo "Docker was installed here, and runs containers of others: remove them first" >&2
    exit 1
  fi
fi
if [ "$REMOVE_PACKAGES" = true ] && [ -d /etc/k8swin/downloads ]; then
  # Units go before the programs that they start, and only those that were written for them.
  for pair in kubernetes-node:kubelet docker:docker; do
    unit=/etc/systemd/system/${pair#*:}.service
    if [ -e "/etc/k8swin/downloads/${pair%:*}" ] && [ -e "$unit" ] && grep -q '^ExecStart=/usr/local/bin/' "$unit"; then
      systemctl disable --now "${pair#*:}"
      take_back "$unit.d/10-kubeadm.conf" "$unit"
      rmdir "$unit.d" 2>/dev/null || true
    fi
  done
  systemctl daemon-reload
  # A program that was replaced since is not the one that was installed.
  while read -r hash file; do
    if [ -e "$file" ] && [ "$(sha256sum "$file" | awk '{ print $1 }')" = "$hash" ]; then rm -f "$file"; fi
    if was_written "$file"; then forget_written "$file"; fi
    put_back "$file"
  done < <(cat /etc/k8swin/downloads/* | awk '$1 !~ /^#/')
  rm -rf /etc/k8swin/downloads /var/cache/k8swin
fi
if [ "$REMOVE_PACKAGES" = true ] && [ -s /etc/k8swin/packages ]; then
  names=()
  while read -r name; do
    if installed "$name"; then names+=("$name"); fi
  done < <(sort -u /etc/k8swin/packages)
  # Another package may have come to need one of them: nothing that is not in the list may go with it.
  if [ ${#names[@]} -gt 0 ]; then
    extra=$(apt-get -s -o APT::Get::AutomaticRemove=false remove "${names[@]}" | awk '$1 == "Remv" { print $2 }' | grep -v -x -F -f <(printf '%s\n' "${names[@]}") || true)
    if [ -n "$extra" ]; then
      echo "other packages need those that would be removed: ${extra//$'\n'/ }" >&2
      exit 1
    fi
    # A purge deletes configurations too: one that somebody edited is kept, and comes back.
    edited=()
    while read -r file hash _; do
      [ -f "$file" ] && [ -n "$hash" ] || continue
      if [ "$(md5sum <"$file" | cut -d ' ' -f 1)" = "$hash" ]; then
        # It is as its package brought it: nobody's, and no longer to be put back.
        if is_alike "$file" "/var/lib/k8swin/kept$file"; then rm -f "/var/lib/k8swin/kept$file"; fi
      elif ! is_written "$file"; then
        edited+=("$file")
      fi
    done < <(for name in "${names[@]}"; do dpkg-query -W -f '${Conffiles}\n' "$name" 2>/dev/null || true; done)
    keep_found "${edited[@]}"
    apt_get purge -y -q "${names[@]}"
    put_back "${edited[@]}" /opt/cni/bin /usr/bin
  fi
  rm -f /etc/k8swin/packages
fi
if [ -s /etc/k8swin/made ]; then
  while read -r file; do take_back "$file"; done < <(sort -u /etc/k8swin/made)
  rm -f /etc/k8swin/made
fi
for key in /etc/apt/keyrings/k8swin-kubernetes.gpg /etc/apt/keyrings/k8swin-docker.gpg; do take_back "$key"; done
take_back /etc/apt/sources.list.d/k8swin.list
echo "package sources are as they were found"
