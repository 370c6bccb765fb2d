name=${1:?usage: script NAME}
echo "$name"
