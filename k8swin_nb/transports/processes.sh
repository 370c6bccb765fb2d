# processes: a line `PID TAG ROLE START` for each process of one of our scripts, START in seconds of the epoch.
# The shell around a script (`script`) has the tag among its arguments. What the script starts (`child`) has it in its
# environment; what lost it there is known by its parent or by the leader of its session. Only what ended says nothing.
# Parents come before their children: a shell whose child is ended first would begin with its next command.
processes() {
  {
    grep -azH '^K8SWIN_TAG=k8swin-' /proc/[0-9]*/environ | tr '\0' '\n' |
      sed -n 's|^/proc/\([0-9]*\)/environ:K8SWIN_TAG=\([^ ]*\).*|tag \1 child \2|p'
    grep -azHx 'k8swin-[^ ]*-[0-9a-f]\{16\}' /proc/[0-9]*/cmdline | tr '\0' '\n' |
      sed -n 's|^/proc/\([0-9]*\)/cmdline:\([^ ]*\)$|tag \1 script \2|p'
    sed -n 's|^btime|boot|p' /proc/stat
    printf 'ticks %s\n' "$(getconf CLK_TCK || echo 100)"
    cat /proc/[0-9]*/stat
  } 2>/dev/null | awk '
    $1 == "tag" { tag[$2] = $4; role[$2] = $3; next }
    $1 == "boot" { boot = $2; next }
    $1 == "ticks" { ticks = $2; next }
    {
      rest = $0
      sub(/^.*\) /, "", rest)
      split(rest, field, " ")
      if (field[1] == "Z") { delete tag[$1]; next }
      parent[$1] = field[2]
      leader[$1] = field[4]
      start[$1] = field[20]
    }
    END {
      do {
        more = 0
        for (pid in parent) {
          if (pid in tag) continue
          from = parent[pid]
          if (!(from in tag)) from = leader[pid]
          if (!(from in tag)) continue
          tag[pid] = tag[from]
          role[pid] = "child"
          more = 1
        }
      } while (more)
      do {
        more = 0
        for (pid in parent) {
          if (!(pid in tag) || (pid in told) || ((parent[pid] in tag) && !(parent[pid] in told))) continue
          told[pid] = 1
          more = 1
          if (tag[pid] != ENVIRON["K8SWIN_TAG"])
            printf "%d %s %s %d\n", pid, tag[pid], role[pid], boot + start[pid] / ticks
        }
      } while (more)
    }'
}

# named PID: the user and the beginning of the command line of a process.
named() {
  local user words
  user=$(stat -c %U "/proc/$1" 2>/dev/null) || return 0
  words=$(tr '\0\n\t' '   ' <"/proc/$1/cmdline" 2>/dev/null | cut -c 1-160)
  printf '%s %s\n' "$user" "${words:-[$(cat "/proc/$1/comm" 2>/dev/null)]}"
}
