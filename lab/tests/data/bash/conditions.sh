mkdir d; echo x > f; ln -s f l; : > e
for t in "-e f" "-d d" "-f d" "-s e" "-L l" "-x f" "-r f"; do test $t && echo "$t yes" || echo "$t no"; done
[[ abc == a* ]] && echo glob
[[ "a*" == "a*" ]] && echo literal
[[ abc < abd && ! -f none ]] && echo less
[ 3 -gt 2 -a 1 -lt 2 ] && echo both
[[ v1.36.4 =~ ^v([0-9]+)\.([0-9]+)\.([0-9]+)$ ]] && echo "${BASH_REMATCH[2]} ${#BASH_REMATCH[@]}"
[[ "10.0.0.300" =~ ^([0-9]{1,3}\.){3}[0-9]{1,3}$ ]] && echo dotted
[ a = b ]; echo $?
[ 1 -eq x ]; echo $?
[ -z "" ] && [ -n "x" ] && echo lengths
[[ -n $unset || $? -eq 0 ]] && echo or
