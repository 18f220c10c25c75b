# shellcheck shell=bash
# Sourced by the scripts beside it: with -h or --help they show the comment at their top, and do nothing else.
case ${1:-} in
    -h | --help)
        awk 'NR > 1 && !/^#/ { exit } NR > 1 && !(NR == 2 && /^#$/) { sub(/^# ?/, ""); print }' "$0"
        exit
        ;;
esac
