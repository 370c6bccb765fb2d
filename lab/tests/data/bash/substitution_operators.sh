path=/var/lib/kubelet/config.tar.gz
echo "${path##*/} ${path%/*} ${path%%.*} ${path#*/} ${path%.gz}"
text="one two one"
echo "${text/one/1} ${text//one/1} ${text/#one/A} ${text/%one/Z} ${text// /_}"
echo "${text^} ${text^^} ${text,,} ${text@Q} ${text//[aeiou]/}"
version=v1.36.4
echo "${version#v}" "${version%.*}"
IFS=. read -r major minor patch <<< "${version#v}"
echo "$major-$minor-$patch"
