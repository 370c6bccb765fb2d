cat > lib.sh <<'END'
helper() { echo "helper $1 $LIBVAR"; }
LIBVAR=set
return 7
END
. ./lib.sh; echo "code $?"
helper arg
cmd='echo "evaluated $LIBVAR" | tr a-z A-Z'
eval "$cmd"
name=target; eval "$name=value"; echo "$target"
declare -n ref=target; ref=changed; echo "$target ${!ref}"
v=target; echo "${!v}"
source missing.sh; echo "code $?"
eval 'if'; echo "code $?"
