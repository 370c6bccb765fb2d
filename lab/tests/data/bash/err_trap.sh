trap 'echo "failed at line $LINENO with $?"' ERR
true
false
(exit 3)
if false; then :; fi
false || true
echo done
