list=(alpha "beta gamma" delta)
list+=(epsilon)
echo "${#list[@]} ${list[1]} ${list[-1]}"
for item in "${list[@]}"; do echo "<$item>"; done
echo "${!list[@]}" "${list[@]:1:2}"
unset 'list[1]'
echo "${!list[@]}"
printf '%s\n' "${list[@]/a/A}"
copy=("${list[@]}"); echo "${#copy[@]}"
empty=(); echo "${#empty[@]} ${empty[*]-none}"
sparse=([5]=five [2]=two); echo "${sparse[@]} ${!sparse[@]}"
joined=$(IFS=,; echo "${list[*]}"); echo "$joined"
