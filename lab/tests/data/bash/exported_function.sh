hello() { echo "hello from $1"; }
export -f hello
bash -c 'hello child'
