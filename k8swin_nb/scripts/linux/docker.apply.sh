# Install Docker and configure it for Kubernetes; the configuration comes on standard input.
#
# The configuration is written first, so that Docker's first start is with it. Docker forbids forwarding
# whenever it starts: an addition to its unit opens it again.
set -euo pipefail
: "${DOCKER_VERSION:?for example 18.06.3}"
: "${DOCKER_SOURCE:?apt or tarball}"
export DEBIAN_FRONTEND=noninteractive
# uses: apt_get enable_service install_packages keep_found note_new_packages write_file

wanted=$(cat)
if [ "$(cat /etc/docker/daemon.json 2>/dev/null || true)" != "$wanted" ]; then
  printf '%s' "$wanted" | write_file 0644 /etc/docker/daemon.json
fi
write_file 0644 /etc/systemd/system/docker.service.d/k8swin.conf <<'END'
[Service]
ExecStartPost=/bin/sh -c 'iptables -w -P FORWARD ACCEPT'
END

offered() { # PACKAGE: its version that is the planned one, or nothing
  apt-cache madison "$1" | awk -v wanted="$DOCKER_VERSION" '
    { version = $3; sub(/^[0-9]+:/, "", version) }
    index(version, wanted) == 1 && substr(version, length(wanted) + 1, 1) !~ /[0-9.]/ { found = found ? found : $3 }
    END { print found }
  '
}
if [ "$DOCKER_SOURCE" = tarball ]; then
  write_file 0644 /etc/systemd/system/docker.service <<'END'
[Unit]
Description=Docker Application Container Engine
Documentation=https://docs.docker.com
After=network-online.target firewalld.service
Wants=network-online.target

[Service]
Type=notify
ExecStart=/usr/local/bin/dockerd
ExecReload=/bin/kill -s HUP $MAINPID
LimitNOFILE=1048576
LimitNPROC=infinity
LimitCORE=infinity
TasksMax=infinity
TimeoutStartSec=0
Delegate=yes
KillMode=process
Restart=on-failure
StartLimitBurst=3
StartLimitInterval=60s

[Install]
WantedBy=multi-user.target
END
  if ! command -v iptables >/dev/null; then install_packages iptables; fi
elif ! command -v dockerd >/dev/null; then
  packages=()
  for name in docker-ce docker.io; do
    version=$(offered "$name")
    if [ -n "$version" ]; then
      packages=("$name=$version")
      client=
      [ "$name" = docker.io ] || client=$(offered docker-ce-cli)
      [ -z "$client" ] || packages+=("docker-ce-cli=$client")
      break
    fi
  done
  if [ ${#packages[@]} -eq 0 ]; then
    echo "the package sources offer no Docker $DOCKER_VERSION; they offer:" >&2
    apt-cache madison docker-ce docker.io | awk '{ print "  " $1 " " $3 }' >&2
    exit 1
  fi
  # What is held anew is written down first as well.
  note_new_packages "${packages[@]}"
  held=$(apt-mark showhold)
  for name in "${packages[@]%%=*}"; do
    grep -q -x -F "$name" <<<"$held" || echo "$name" >>/etc/k8swin/held
  done
  apt_get install -y -q "${packages[@]}"
  apt-mark hold "${packages[@]%%=*}"
fi
keep_found /etc/cni/net.d/10-containerd-net.conflist
rm -f /etc/cni/net.d/10-containerd-net.conflist
systemctl daemon-reload
enable_service docker
systemctl restart docker
echo "Docker is configured"
