# Print the SHA-256 of the administrator's kubeconfig and the days that its certificate is valid for, as JSON.
set -euo pipefail
# uses: needs_control_plane

config=/etc/kubernetes/admin.conf
needs_control_plane
sum=$(sha256sum "$config" | cut -d ' ' -f 1)
end=$(awk '$1 == "client-certificate-data:" { print $2 }' "$config" | base64 -d | openssl x509 -noout -enddate | cut -d = -f 2)
days=$((($(date -d "$end" +%s) - $(date +%s)) / 86400))
printf '{"sha256": "%s", "days": "%s"}\n' "$sum" "$days"
