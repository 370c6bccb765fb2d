set -u
echo "${HOME:+home is set}"
echo "${NOT_SET:-default}"
echo "$NOT_SET"
echo "not reached"
