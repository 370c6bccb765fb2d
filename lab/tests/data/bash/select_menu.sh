select name in one two; do echo "$name"; break; done <<< 2
