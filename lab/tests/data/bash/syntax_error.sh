echo before
if true; then
  echo inside
done
echo after
