# Try connections from inside a pod, with what its image has: a kind and a target a line on standard input.
#
#   http ADDRESS:PORT     resolve NAME     connect NAME:443
#
# Prints a line each: exit code, the command, and the last line that it printed, between tabs.
set -euo pipefail
: "${POD:?name of the pod, in the namespace default}"
: "${POD_OS:?windows or linux}"
: "${PROBE_SECONDS:=5}"
: "${EXEC_SECONDS:=30}"
export KUBECONFIG=/etc/kubernetes/admin.conf
# uses: print_attempt

inside() { timeout "$EXEC_SECONDS" kubectl -n default exec "$POD" -- "$@" </dev/null; }
attempt() { print_attempt "kubectl -n default exec $POD -- $*" inside "$@"; }

tool=none
code=0
said=$(inside /agnhost --version 2>&1 | tail -n 1) || code=$?
if [ "$code" = 124 ] || grep -q 'error dialing backend' <<<"$said"; then
  # Where nothing can be run nothing is waited for once more.
  while read -r _; do
    printf '%s\tkubectl -n default exec %s -- /agnhost --version\t%s\n' "$code" "$POD" "nothing can be run in this pod: ${said:-no answer in time}"
  done
  exit 0
fi
if [ "$code" = 0 ]; then
  tool=agnhost
elif [ "$POD_OS" = windows ]; then
  tool=windows
elif inside curl --version >/dev/null 2>&1; then
  tool=curl
elif inside wget --help >/dev/null 2>&1; then
  tool=wget
fi
while read -r kind target; do
  case "$tool $kind" in
    "agnhost http" | "agnhost connect") attempt /agnhost connect "$target" --timeout="${PROBE_SECONDS}s" ;;
    # agnhost looks names up only to connect: whoever answers then, or does not, the name was found.
    "agnhost resolve") attempt /agnhost connect "$target:443" --timeout="${PROBE_SECONDS}s" ;;
    "windows http") attempt curl.exe -fsS --max-time "$PROBE_SECONDS" "http://$target/hostname" ;;
    "windows connect") attempt curl.exe -ksS -o NUL --max-time 10 "https://$target/" ;;
    "windows resolve")
      # Of an error that PowerShell prints itself the last line says the least.
      attempt powershell.exe -NoProfile -NonInteractive -Command \
        "try { (Resolve-DnsName -Name '${target//\'/}' -Type A -DnsOnly -ErrorAction Stop).IPAddress } catch { \$_.Exception.Message; exit 1 }"
      ;;
    "curl http") attempt curl -fsS --noproxy '*' --max-time "$PROBE_SECONDS" "http://$target/hostname" ;;
    "curl connect") attempt curl -ksS --noproxy '*' -o /dev/null --max-time 10 "https://$target/" ;;
    "wget http") attempt wget -q -O - -T "$PROBE_SECONDS" "http://$target/hostname" ;;
    *) printf '%s\t%s\t%s\n' 127 "" "the image has nothing to try it with" ;;
  esac
done
