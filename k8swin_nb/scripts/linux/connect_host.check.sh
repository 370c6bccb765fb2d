# Try connections from this host: a kind and a target a line on standard input.
#
#   http ADDRESS:PORT     logs POD     exec POD OS
#
# Prints a line each: exit code, the command, and the last line that it printed, between tabs.
set -euo pipefail
: "${PROBE_SECONDS:=5}"
export KUBECONFIG=/etc/kubernetes/admin.conf

attempt() {
  local code=0 said
  said=$("$@" 2>&1 </dev/null) || code=$?
  said=$(grep -v '^command terminated with' <<<"$said" | tail -n 1 | tr -d '\r' | tr '\t' ' ') || true
  printf '%s\t%s\t%s\n' "$code" "$*" "$said"
}
while read -r kind target os; do
  case $kind in
    http) attempt curl -fsS --noproxy '*' --no-keepalive --max-time "$PROBE_SECONDS" "http://$target/hostname" ;;
    logs) attempt kubectl -n default logs "$target" --tail=1 ;;
    exec)
      if [ "$os" = windows ]; then
        attempt kubectl -n default exec "$target" -- cmd.exe /c ver
      elif kubectl -n default exec "$target" -- /agnhost --version >/dev/null 2>&1 </dev/null; then
        attempt kubectl -n default exec "$target" -- /agnhost --version
      else
        attempt kubectl -n default exec "$target" -- hostname
      fi
      ;;
    *)
      echo "unknown kind of connection: $kind" >&2
      exit 1
      ;;
  esac
done
