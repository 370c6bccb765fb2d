mkdir -p dir/sub; touch a.txt b.txt c.log dir/x.txt dir/sub/y.txt .hidden
echo *.txt; echo ?.log; echo [ab].txt; echo [!a].txt; echo none*; echo */; echo dir/*; echo .h*
shopt -s nullglob; echo none* end; shopt -u nullglob
shopt -s globstar; echo **/*.txt
shopt -s extglob; echo !(*.txt); echo @(a|c).*
for f in *.txt; do echo "${f%.txt}"; done
set -f; echo *.txt; set +f
