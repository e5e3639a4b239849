#!/bin/sh
# check.sh PART PROGRAMS DATA.csv PYTHON [tiny]: runs the examples in the folder PROGRAMS with small settings, and with
# wrong ones, as PART.sh beside this file says. Then check.py looks at what the part has written. With `tiny` (of the
# sanitized build, which is many times slower) the runs are as short as they can be, each path of the code is taken all
# the same, and what only long runs show is left to the other build. Says what failed, and ends with status 1 when
# anything did.
set -u
part=$1 programs=$2 data=$3 python=$4 tiny=${5:-}
here=$(cd "$(dirname "$0")" && pwd)
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
cd "$temp" || exit 1
failures=0
images=$(dirname "$data")
iris=$images/iris.csv wells=$images/double_well.csv

# Where there is no gnuplot, one that draws nothing stands in, so that it is started all the same. So it is for `tiny`:
# starting gnuplot may have something for sanitizers to find, drawing has not.
draws=1
if [ -n "$tiny" ] || ! command -v gnuplot >/dev/null; then
    draws=
    mkdir bin
    printf '#!/bin/sh\n' >bin/gnuplot
    chmod +x bin/gnuplot
    PATH=$temp/bin:$PATH
fi

complain() {
    echo "failed: $*"
    cat stderr
    failures=$((failures + 1))
}

# expect STATUS SENTENCE PROGRAM …: the program must end with that status, and say the sentence on stderr or stdout.
# With an empty sentence stderr must be empty.
expect() {
    status=$1 sentence=$2 program=$3
    shift 3
    "$programs/$program" "$@" >stdout 2>stderr
    got=$?
    [ $got = "$status" ] || complain "$program $*: status $got, not $status"
    if [ -n "$sentence" ]; then
        cat stdout stderr | grep -qF -e "$sentence" || complain "$program $*: does not say «$sentence»"
    elif [ -s stderr ]; then
        complain "$program $*: writes to stderr"
    fi
}

# A wrong command line: status 64 and one sentence, before anything is run.
refuse() {
    sentence=$1
    shift
    expect 64 "$sentence" "$@"
    [ ! -s stdout ] || complain "$*: printed something before it refused"
}

have() {
    for file in "$@"; do [ -s "$file" ] || complain "$file is missing or empty"; done
}

have_pictures() {
    [ -z "$draws" ] || have "$@"
}

# size SMALL TINY: the options of a run, by the build.
size() {
    if [ -n "$tiny" ]; then echo "$2"; else echo "$1"; fi
}

# shellcheck disable=SC2086
. "$here/$part.sh"

"$python" "$here/check.py" "$part" "$iris" "$here/../../README.md" $tiny || failures=$((failures + 1))
[ $failures = 0 ] && echo "all is well" || exit 1
