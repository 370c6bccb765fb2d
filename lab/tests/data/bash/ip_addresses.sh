set -u
valid_ip() {
  local ip=$1 octet
  [[ $ip =~ ^[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+$ ]] || return 1
  local IFS=.
  for octet in $ip; do (( 10#$octet <= 255 )) || return 1; done
}
for ip in 10.0.0.1 256.1.1.1 1.2.3 192.168.001.10 a.b.c.d; do
  valid_ip "$ip" && echo "$ip valid" || echo "$ip invalid"
done
ip_to_int() { local a b c d; IFS=. read -r a b c d <<< "$1"; echo $(( (a<<24) + (b<<16) + (c<<8) + d )); }
int_to_ip() { echo "$(( $1>>24 & 255 )).$(( $1>>16 & 255 )).$(( $1>>8 & 255 )).$(( $1 & 255 ))"; }
n=$(ip_to_int 10.244.0.0); echo "$n"; int_to_ip $((n + 257))
cidr=10.244.0.0/16; echo "${cidr%/*} ${cidr#*/}"; bits=${cidr#*/}
mask=$(( 0xFFFFFFFF << (32 - bits) & 0xFFFFFFFF )); int_to_ip $mask
