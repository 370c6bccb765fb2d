bash -c 'kill -TERM $$'; echo $?
bash -c 'trap "echo caught; exit 5" TERM; kill -TERM $$; echo no'; echo $?
