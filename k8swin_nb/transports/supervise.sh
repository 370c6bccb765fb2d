# Runs one script in a clean shell, proves on both streams that it begins, and says how it ended.
#
# `bash -p -s TAG` reads this from its standard input, whatever stood before it: a login shell, start-up files, sudo, a forced
# command. Fields follow, each with a NUL byte at its end: two halves of a word that nobody else knows, and, once the word was
# printed, a limit in seconds and all that the script's own shell reads. -p keeps exported functions and BASH_ENV out.
{
  # A start-up file that puts another shell in the place of this one leaves that shell to read this, as somebody else's.
  if [ "$#" != 2 ]; then
    echo "another shell reads what was meant for \`bash -s\`: look for \`exec\` in start-up files, and for a forced command" >&2
    exit 125
  fi
  set +o posix
  # What is exported for people would act on this shell and the programs that it needs: TMOUT ends each `read` that waits for
  # a script, a preloaded library that is missing complains before each program.
  unset TMOUT EXECIGNORE BASH_COMPAT FUNCNEST BASH_XTRACEFD LD_PRELOAD LD_LIBRARY_PATH LD_AUDIT
  # All that needs a process beside this one, in one: each costs a host with many logins a millisecond and more.
  # 99 is the number that the script's processes hold, see below. What is said after `=` is about the locale.
  probe=$({ true 99>&1; } 2>/dev/null || exit 1; trap -p; echo "="; { LC_ALL=C.UTF-8; } 2>&1; exit 0)
  limits=$?
  # What ends the script must not end this shell: it still has to say how the script ended.
  trap : TERM INT HUP QUIT
  IFS= read -rd "" second && IFS= read -rd "" first || exit 125
  if [ "$limits" != 0 ]; then
    echo "the limits of this login are too low to run a script: $(ulimit -n) open files, $(ulimit -u) processes" >&2
    exit 125
  fi
  # Whoever asks is told as whom this runs, and which boot it is, without a question of its own.
  boot=
  { IFS= read -r boot </proc/sys/kernel/random/boot_id; } 2>/dev/null
  printf "\036%s%s begins %s %s\n" "$first" "$second" "$EUID" "$boot"
  printf "\036%s%s begins\n" "$first" "$second" >&2
  IFS= read -rd "" limit || exit 125

  # Programs of the system come first, those of the site after them; administrators' folders are on it for every user.
  places=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
  IFS=: read -ra given <<<"$PATH"
  for place in "${given[@]}"; do
    case $place in /*) case :$places: in *":$place:"*) ;; *) places=$places:$place ;; esac ;; esac
  done
  export PATH=$places

  # What begins from here is given what is named, and nothing else of what the login has. `env` takes away what is no name
  # for a shell; names alone are on its command line, for a value may be a proxy's password.
  changes=()
  if [ -r /proc/self/environ ]; then exec 7</proc/self/environ; else exec 7< <(env -0); fi
  while IFS= read -rd "" entry <&7; do
    name=${entry%%=*}
    case $name in
      PATH | HOME | USER | LOGNAME | SHELL | TZ | SSH_CLIENT | SSH_CONNECTION | SSH_AUTH_SOCK | SUDO_* | KRB5CCNAME) ;;
      XDG_RUNTIME_DIR | DBUS_SESSION_BUS_ADDRESS | SSL_CERT_FILE | SSL_CERT_DIR | CURL_CA_BUNDLE | REQUESTS_CA_BUNDLE) ;;
      http_proxy | https_proxy | ftp_proxy | all_proxy | no_proxy) ;;
      HTTP_PROXY | HTTPS_PROXY | FTP_PROXY | ALL_PROXY | NO_PROXY) ;;
      TMPDIR) if ! [ -d "$TMPDIR" ] || ! [ -w "$TMPDIR" ]; then export -n TMPDIR; fi ;;
      "" | _) ;;
      *[!A-Za-z0-9_]*) changes+=(-u "$name") ;;
      *)
        # shellcheck disable=SC2163 # the variable of that name
        export -n "$name" 2>/dev/null || changes+=(-u "$name")
        ;;
    esac
  done
  exec 7<&-
  export -n PWD OLDPWD SHLVL
  # A shell cannot take back that a signal was ignored when it began.
  if [ -n "${probe%%=*}" ] && env --default-signal true 2>/dev/null; then changes+=(--default-signal); fi
  run=(timeout -k "$2" "$limit")
  if [ "${#changes[@]}" != 0 ]; then run=(env "${changes[@]}" "${run[@]}"); fi

  home=$HOME
  case ${SUDO_USER-} in
    "" | *[!A-Za-z0-9._-]*) ;;
    *) eval "home=~$SUDO_USER" ;;
  esac
  cd -- "$home" 2>/dev/null || cd /
  unset OLDPWD
  umask 022
  IFS=$' \t\n'
  # Scripts and tables of symptoms know the messages in English, and names may hold any letter.
  case $probe in *=) export LANG=C.UTF-8 ;; esac
  export K8SWIN_TAG=$1

  # The script holds one end of the pipe as number 99, and so does all that it starts: the other end tells when they are gone.
  # What this shell itself would say of a script that was killed is no output of the script.
  exec 8>&1 9>&2
  {
    trap : TERM INT HUP QUIT
    # The script is read by itself, for bash repeats the line in which it finds an error; its variable is emptied as it is read.
    # shellcheck disable=SC2016 # the script's own shell expands it
    "${run[@]}" bash --noprofile --norc -c \
      'while IFS= read -rd "" || exit 125; [ -n "$REPLY" ]; do export "$REPLY"; done; while IFS= read -rd "" || exit 125; [ -n "$REPLY" ]; do IFS= read -rd "" "$REPLY" || exit 125; done; IFS= read -rd "" || exit 125; IFS= read -rd "" K8SWIN_SCRIPT || exit 125; eval "unset REPLY; $REPLY"; eval "$K8SWIN_SCRIPT${K8SWIN_SCRIPT:K8SWIN_SCRIPT=0:0}"' \
      bash 99>&1 1>&8 2>&9 8>&- 9>&-
    echo "$?"
  } 2>/dev/null | {
    trap : TERM INT HUP QUIT
    read -r code || exit 125
    # A process that the script left behind may go on; what one that is about to end still prints is waited for.
    read -rt 0.5 _
    printf "\036%s%s ends %s\n" "$first" "$second" "$code" >&8
    printf "\036%s%s ends %s\n" "$first" "$second" "$code" >&9
    exit "$code"
  }
  exit "$?"
}
