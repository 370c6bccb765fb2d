# Are the programs that come as tarballs on this host, unchanged since they were installed?
#
# What was installed is recorded with its hash. A program that lies there without a record is not ours.
set -euo pipefail
: "${LINUX_ARTIFACTS:?one download a line: name, url, kind of hash, hash, folder, programs}"
# uses: needed_if_any

records=/etc/k8swin/downloads
joined=no
[ ! -e /etc/kubernetes/kubelet.conf ] || joined=yes
missing=()
installed=()
while read -r name _ kind hash folder programs; do
  record=$records/$name
  case $name in
    kubernetes-node) packages="kubeadm kubelet kubectl" ;;
    docker) packages="docker-ce docker.io" ;;
    *) packages= ;;
  esac
  for package in $packages; do
    case $(dpkg-query -W -f '${Status}' "$package" 2>/dev/null || true) in
      *" installed")
        echo "$package is installed as a package and would be in the way of the tarball's; remove the package first"
        exit 20
        ;;
    esac
  done
  if [ -e "$record" ]; then
    if [ "$(sed -n 1p "$record")" != "# $kind $hash" ]; then
      if [ "$joined" = yes ] && ! grep -q '^# started ' "$record"; then
        echo "$name on this node of a cluster is of another version than the lock's: that is an upgrade"
        exit 20
      fi
      missing+=("$name: another version -> the lock's")
    elif ! sha256sum --status -c "$record" 2>/dev/null; then
      missing+=("$name: changed since it was installed -> as locked")
    else
      installed+=("$name")
    fi
    continue
  fi
  for program in $programs; do
    if [ "$program" != others ] && [ -e "$folder/$program" ] && [ "$folder" != /opt/cni/bin ]; then
      echo "$folder/$program is there already and was not installed from here; remove it, or use package_source apt"
      exit 20
    fi
  done
  missing+=("$name: not there -> installed")
done <<<"$LINUX_ARTIFACTS"
needed_if_any "not installed as locked" "${missing[@]}"
echo "installed and unchanged: ${installed[*]}"
