# Which boot of this host is it? One line: an id, when its first process began, seconds since then, and its state.
set -euo pipefail

# A container shares the id of its machine's boot; when its first process began is its own.
began=$(sed 's/^.*) //' /proc/1/stat 2>/dev/null | cut -d ' ' -f 20 || true)
up=$(cut -d ' ' -f 1 /proc/uptime)
state=$(systemctl is-system-running 2>/dev/null || true)
printf '%s-%s %s %s\n' "$(cat /proc/sys/kernel/random/boot_id)" "${began:-0}" "$up" "${state:-unknown}"
