# Try connections from this host: a kind and a target a line on standard input.
#
#   http ADDRESS:PORT     logs POD     exec POD OS
#
# Prints a line each: exit code, the command, and the last line that it printed, between tabs.
set -euo pipefail
: "${PROBE_SECONDS:=5}"
: "${EXEC_SECONDS:=30}"
export KUBECONFIG=/etc/kubernetes/admin.conf
# uses: print_attempt

attempt() { print_attempt "$*" "$@"; }
while read -r kind target os; do
  case $kind in
    http) attempt curl -fsS --noproxy '*' --no-keepalive --max-time "$PROBE_SECONDS" "http://$target/hostname" ;;
    logs) attempt timeout "$EXEC_SECONDS" kubectl -n default logs "$target" --tail=1 ;;
    exec)
      command=(/agnhost --version)
      if [ "$os" = windows ]; then command=(cmd.exe /c ver); fi
      attempt timeout "$EXEC_SECONDS" kubectl -n default exec "$target" -- "${command[@]}"
      ;;
    *)
      echo "unknown kind of connection: $kind" >&2
      exit 1
      ;;
  esac
done
