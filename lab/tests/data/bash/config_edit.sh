set -eu
cat > config.toml <<'END'
version = 3
[plugins]
  sandbox_image = "registry.k8s.io/pause:3.8"
  SystemdCgroup = false
END
set_option() {
  local file=$1 key=$2 value=$3
  if grep -qE "^[[:space:]]*${key}[[:space:]]*=" "$file"; then
    sed -i -E "s|^([[:space:]]*${key}[[:space:]]*=).*|\1 ${value}|" "$file"
  else
    printf '%s = %s\n' "$key" "$value" >> "$file"
  fi
}
before=$(sha256sum config.toml | cut -d' ' -f1)
set_option config.toml SystemdCgroup true
set_option config.toml sandbox_image '"registry.k8s.io/pause:3.10"'
set_option config.toml added 1
after=$(sha256sum config.toml | cut -d' ' -f1)
[ "$before" != "$after" ] && echo "changed=true"
cat config.toml
grep -q 'SystemdCgroup = true' config.toml && diff <(echo same) <(echo same) && echo identical
