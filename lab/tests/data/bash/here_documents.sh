name=world
cat <<END
hello $name $(echo sub) $((1+1)) \$name
END
cat <<'END'
raw $name $(echo sub)
END
cat <<-END
	tabs are
	stripped
	END
cat <<A; cat <<B
first
A
second
B
cat > conf.yaml <<END
server:
  name: ${name}
END
cat conf.yaml
tr a-z A-Z <<< "here $name"
