for arg in start --name=x -v 10.0.0.1 file.tar.gz "" other; do
  case "$arg" in
    start|stop) echo "action" ;;
    --name=*) echo "name ${arg#*=}" ;;
    -[a-z]) echo "flag" ;;
    [0-9]*.*) echo "address" ;;
    *.tar.gz) echo "archive" ;;
    "") echo "empty" ;;
    *) echo "other" ;;
  esac
done
case abc in a*) echo one ;;& *c) echo two ;; *) echo no ;; esac
case x in x) echo fall ;& y) echo through ;; esac
