nosuchcommand --flag; echo "code $?"
./nosuchfile; echo "code $?"
mkdir adir; ./adir; echo "code $?"
echo data > plain; ./plain; echo "code $?"
command -v nosuchcommand || echo "absent"
if ! command -v nosuchcommand >/dev/null 2>&1; then echo "install it"; fi
command -v cd; type -t if; type nosuch; echo "code $?"
printf '#!/bin/bash\necho "script $1"\n' > s; chmod +x s; ./s arg
printf '#!/no/such\n' > bad; chmod +x bad; ./bad 2>/dev/null; echo "code $?"
