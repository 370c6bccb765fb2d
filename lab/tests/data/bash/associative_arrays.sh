declare -A ports=([ssh]=22 [https]=443)
ports[api]=6443
for name in $(printf '%s\n' "${!ports[@]}" | sort); do echo "$name=${ports[$name]}"; done
[[ -v ports[api] ]] && echo has
[[ -v ports[none] ]] || echo hasnot
unset 'ports[ssh]'
echo "${#ports[@]}"
key=https; (( ports[$key] += 1 )); echo "${ports[https]}"
