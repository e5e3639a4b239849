#!/bin/sh
# check.sh PROGRAMS DATA.csv PYTHON: runs the examples in the folder PROGRAMS with tiny settings, and with wrong ones.
# Says what failed, and ends with status 1 when anything did.
set -u
programs=$1 data=$2 python=$3
here=$(cd "$(dirname "$0")" && pwd)
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
cd "$temp" || exit 1
failures=0

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

small="--data $data --steps 20 --hidden 8,8 --noise-ratio 2"

# ---- Wrong command lines ----
refuse 'density2d: --loss: «foo» is none of ml-is, cd, score-matching, nce' density2d --loss nce,foo
refuse '--activation: «relu» is none of softplus, tanh, silu' density2d --activation relu
refuse '--rate: «-1» is not a positive number' density2d --rate -1
refuse '--rate: «x» is not a positive number' density2d --rate x
refuse '--rate: «nan» is not a positive number' density2d --rate nan
refuse '--rate: «inf» is not a positive number' density2d --rate inf
refuse '--steps: «1.5» is not a whole number' density2d --steps 1.5
refuse '--steps: «0» is not a whole number of at least 1' density2d --steps 0
refuse '--held-out: «1» is not a number between 0 and 1' density2d --held-out 1
refuse '--rows: «1» is not a whole number of at least 2' density2d --data moons --rows 1
refuse '--hidden: «» is not the width of a layer' density2d --hidden 8,,8
refuse '--seed: «-1» is not a whole number of at least 0' density2d --seed -1
refuse "unrecognized option '--bogus'" density2d --bogus
refuse '«left» is no option' density2d left
refuse '--draws: «many» is not a whole number' geyer_gaussian --draws many
refuse '--grid: «1» is not a whole number of at least 2' geyer_gaussian --grid 1
refuse '--low: 3 is not below --high, 2' geyer_gaussian --low 3 --high 2
expect 0 '(default 64,64)' density2d --help
expect 0 '(default 1000)' geyer_gaussian --help

# ---- Wrong files ----
printf 'a,b\n1,2\n3\n' >ragged.csv
printf 'a,b\n1,2\nnan,4\n' >nan.csv
printf 'a,b\n1,2\n2,2\n3,2\n4,2\n5,2\n6,2\n' >constant.csv
printf '1,2,3,4\n5,6,7,8\n9,1,2,4\n4,4,3,2\n5,5,1,2\n' >wide.csv
expect 1 'nowhere.csv' density2d --data nowhere.csv
expect 1 'ragged.csv:3:' density2d --data ragged.csv
expect 1 'nan.csv:3:' density2d --data nan.csv
expect 1 'is constant' density2d --data constant.csv
expect 1 'wide.csv has 4 columns' density2d --data wide.csv
: >file
expect 1 'file: nothing can be written there' density2d $small --out file
expect 1 'file/x: the folder cannot be made' geyer_gaussian --out file/x
expect 1 'nowhere/r.json: cannot be written' density2d $small --json nowhere/r.json
expect 1 'nowhere/r.json: cannot be written' geyer_gaussian --json nowhere/r.json

# ---- Runs ----
expect 0 '' density2d $small --json four.json --out deep/er
grep -q '^score-matching ' stdout || complain "density2d prints no row for score matching"
for loss in ml-is cd score-matching nce; do
    have deep/er/density2d-$loss.csv deep/er/density2d-$loss-score.csv deep/er/density2d-$loss-history.csv \
        deep/er/density2d-$loss.safetensors
    command -v gnuplot >/dev/null && have deep/er/density2d-$loss.png
done
have deep/er/density2d-data.csv
expect 0 '' density2d $small --json again.json --out again --quiet
[ ! -s stdout ] || complain "--quiet prints something"
expect 1 'failed: step' density2d $small --loss nce --rate 1e30 --json failed.json
cut -d, -f1 "$data" >line.csv
expect 0 '' density2d $small --data line.csv --loss cd,nce --double --json line.json
expect 0 '' density2d $small --data moons --rows 60 --loss nce --out moons
grep -q '^moons: 48 training rows' stdout || complain "density2d does not say how many moons it trains on"
have moons/density2d-nce.csv
gzip -c "$data" >packed.gz
expect 0 '' density2d $small --data packed.gz --loss cd --out packed
cmp -s packed/density2d-cd.csv deep/er/density2d-cd.csv || complain "a packed table gives another density"
expect 0 '' geyer_gaussian --draws 5 --grid 7 --json geyer.json --out geyer
for panel in 1a 1b 1c 2a 2b 2b-n5000; do
    have geyer/geyer-$panel.csv
    command -v gnuplot >/dev/null && have geyer/geyer-$panel.png
done

# Without gnuplot: one sentence, the data files, and success.
PATH=/nowhere "$programs/geyer_gaussian" --draws 2 --grid 3 --out bare --quiet 2>stderr || complain "fails without gnuplot"
grep -q 'gnuplot is not installed' stderr && [ "$(wc -l <stderr)" = 1 ] || complain "no sentence about gnuplot"
have bare/geyer-1a.csv bare/geyer-1b.csv

"$python" "$here/check.py" || failures=$((failures + 1))
[ $failures = 0 ] && echo "all is well" || exit 1
