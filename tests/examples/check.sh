#!/bin/sh
# check.sh PROGRAMS DATA.csv PYTHON: runs the examples in the folder PROGRAMS with tiny settings, and with wrong ones.
# Says what failed, and ends with status 1 when anything did.
set -u
programs=$1 data=$2 python=$3
here=$(cd "$(dirname "$0")" && pwd)
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
cd "$temp" || exit 1
wells=$(dirname "$data")/double_well.csv
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
refuse '--mean: «7» is not a number between 1 and 6' maxent --mean 7
refuse '--sizes: «0» is not a whole number from 1 to 6' mixture --sizes 0
refuse '--weight: «1» is not a number between 0 and 1' mixture --weight 1
refuse '--ridge: «0» is not a positive number' conditional --ridge 0
refuse '--chains: «many» is not a whole number' chain_crf --chains many
refuse '--repeats: «0» is not a whole number of at least 1' ising --repeats 0
refuse '--second: «squares» is none of gaussian, 8gaussians' compose --second squares
expect 0 '(default 4.5)' maxent --help
expect 0 '(default 4)' mixture --help
expect 0 '(default 0.01)' conditional --help
expect 0 '(default 2000)' chain_crf --help
expect 0 '(default 0.5)' ising --help
expect 0 '(default 3000)' compose --help
expect 0 '(default 64,64)' density2d --help
expect 0 '(default 1000)' geyer_gaussian --help
refuse 'rbm_digits: --loss: «nce» is none of cd, pcd, pseudo-likelihood' rbm_digits --loss nce
refuse '--hidden: «0» is not a number of hidden units' rbm_digits --hidden 8,0
refuse '--bridges: «0» is not a whole number of at least 1' rbm_digits --bridges 0
refuse '--dims: 64; patches of 8 × 8 pixels, less their mean, have 63' ica_patches --dims 64
refuse '--side: «1» is not a whole number from 2 to 16' ica_patches --side 1
expect 0 'examples/data/digits-idx3-ubyte.gz)' rbm_digits --help
expect 0 '(default 36)' ica_patches --help
refuse 'score_field: --loss: «foo» is none of exact-ml' score_field --loss nce,foo
refuse '--hidden: «0» is not a whole number of at least 1' score_field --hidden 0
refuse '--draws: «1» is not a whole number of at least 2' cd_meets_score_matching --draws 1
refuse '--low must lie below --high' cd_meets_score_matching --low 1 --high 0.5
refuse '--correlation: «1» is not a number above -1 and below 1' denoise --correlation 1
refuse '--sd-x: «0» is not a positive number' denoise --sd-x 0
expect 0 '(default 48)' score_field --help
expect 0 '(default 1000)' cd_meets_score_matching --help
expect 0 '(default 0.8)' denoise --help

# ---- Wrong files ----
printf 'a,b\n1,2\n3\n' >ragged.csv
printf 'a,b\n1,2\nnan,4\n' >nan.csv
printf 'a,b\n1,2\n2,2\n3,2\n4,2\n5,2\n6,2\n' >constant.csv
printf '2\n2\n' >twos.csv
printf '1,2,3,4,9\n5,6,7,8,1\n' >label.csv
printf '1,2,3,4\n5,6,7,8\n9,1,2,4\n4,4,3,2\n5,5,1,2\n' >wide.csv
expect 1 'nowhere.csv' maxent --data nowhere.csv
expect 1 'the first column is constant' maxent --data twos.csv
expect 1 'wide.csv has 4 columns; four inputs and a label are needed' conditional --data wide.csv
expect 1 'row 1, column 5 is 9, not a whole number from 0 to 2' conditional --data label.csv
expect 1 'nowhere.csv' density2d --data nowhere.csv
expect 1 'ragged.csv:3:' density2d --data ragged.csv
expect 1 'nan.csv:3:' density2d --data nan.csv
expect 1 'is constant' density2d --data constant.csv
expect 1 'wide.csv has 4 columns' density2d --data wide.csv
expect 1 'nowhere.gz' rbm_digits --data nowhere.gz
expect 1 'rows of 2 numbers are no square images' rbm_digits --data "$data"
expect 1 'images of 2 × 2 pixels are too small for patches of 8 × 8' ica_patches --data wide.csv
: >file
expect 1 'file: nothing can be written there' density2d $small --out file
expect 1 'file/x: the folder cannot be made' geyer_gaussian --out file/x
expect 1 'nowhere/r.json: cannot be written' density2d $small --json nowhere/r.json
for program in maxent mixture conditional chain_crf ising compose; do
    expect 1 'nowhere/r.json: cannot be written' $program --json nowhere/r.json
    expect 1 'file/x: the folder cannot be made' $program --out file/x
done
expect 1 'nowhere/r.json: cannot be written' geyer_gaussian --json nowhere/r.json
for program in score_field cd_meets_score_matching denoise; do
    expect 1 'nowhere.csv' $program --data nowhere.csv
    expect 1 'wide.csv has 4 columns; two are needed' $program --data wide.csv
    expect 1 'file: nothing can be written there' $program --data moons --out file
    expect 1 'nowhere/r.json: cannot be written' $program --data moons --json nowhere/r.json
done

# ---- What cannot be printed is not lost silently ----
if [ -w /dev/full ]; then
    for program in "custom_energy $wells" "maxent --data $data" "maxent --help" \
        "conditional --data $(dirname "$data")/iris.csv" "density2d $small --loss nce"; do
        # shellcheck disable=SC2086
        "$programs"/$program >/dev/full 2>stderr && complain "$program >/dev/full: status 0"
        case $program in custom_energy*) continue ;; esac
        grep -q 'stdout' stderr || complain "$program >/dev/full: no sentence on stderr"
    done
    expect 1 '/dev/full: cannot be written' maxent --data "$data" --json /dev/full
fi
"$programs/custom_energy" "$wells" >&- 2>stderr && complain "custom_energy with stdout closed: status 0"
"$programs/maxent" --json closed.json --data "$data" >&- 2>stderr && complain "maxent with stdout closed: status 0"
grep -q 'stdout' stderr || complain "maxent with stdout closed: no sentence on stderr"
"$programs/maxent" --data "$data" --quiet >&- 2>stderr || complain "maxent --quiet needs a stdout"

# ---- Runs ----
expect 0 'log Z = ' custom_energy "$wells"
have custom_energy.safetensors
cp stdout custom_energy.txt
expect 0 'normalisable' custom_energy "$data"
expect 1 'usage: custom_energy FILE.csv' custom_energy
expect 1 'usage: custom_energy FILE.csv' custom_energy "$wells" "$wells"
printf '5\n' >one.csv
awk 'BEGIN { srand(1); print "height,weight"; for (i = 0; i < 300; i++) { s = 0; for (k = 0; k < 12; k++) s += rand()
    printf "%.1f,%d\n", 170 + 8 * (s - 6), i } }' >heights.csv
printf 'name,x\nanna,1\n' >text.csv
awk 'BEGIN { srand(2); for (i = 0; i < 300; i++) { t = 3.14159 * (rand() - 0.5); print sin(t) / cos(t) } }' \
    >tails.csv
expect 1 'nowhere.csv' custom_energy nowhere.csv
expect 1 "text.csv:2: column 1 (name): 'anna' is not a number" custom_energy text.csv
expect 1 'is constant' custom_energy one.csv
expect 1 'ragged.csv:3:' custom_energy ragged.csv
expect 0 '300 rows, x = (column 1 - 1' custom_energy heights.csv
expect 1 'not normalisable' custom_energy tails.csv
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

iris=$(dirname "$data")/iris.csv
expect 0 '' maxent --data "$data" --json maxent.json --out more
expect 0 '' mixture --rows 500 --sizes 3 --json mixture.json --out more
expect 0 '' conditional --data "$iris" --json conditional.json --out more
expect 0 '' chain_crf --chains 500 --json chain_crf.json --out more
expect 0 '' ising --rows 50 --steps 200 --repeats 1 --json ising.json --out more
expect 0 '' compose --steps 300 --chains 2000 --moves 300 --json compose.json --out more
expect 0 '' ising --rows 50 --steps 5 --repeats 1 --seed 2 --out other --quiet
[ ! -s stdout ] || complain "ising --quiet prints something"
for picture in maxent-die maxent-moments mixture conditional-iris chain_crf ising ising-couplings compose; do
    have more/$picture.csv
    command -v gnuplot >/dev/null && have more/$picture.png
done

images=$(dirname "$data")
expect 1 'nowhere/r.json: cannot be written' rbm_digits --data "$images/digits-idx3-ubyte.gz" --json nowhere/r.json
expect 1 'file/x: the folder cannot be made' ica_patches --data "$images/photographs-idx3-ubyte.gz" --out file/x
expect 0 '' rbm_digits --data "$images/digits-idx3-ubyte.gz" --rows 800 --hidden 10,24 --steps 1000 --bridges 300 \
    --chains 100 --burn-in 300 --json rbm.json --out rbm
expect 0 '' rbm_digits --data "$images/digits-idx3-ubyte.gz" --rows 800 --hidden 10 --loss pcd --steps 1000 --bridges 300 \
    --chains 100 --json rbm-again.json --out rbm-again --quiet
expect 0 '' ica_patches --data "$images/photographs-idx3-ubyte.gz" --side 6 --dims 16 --patches 6000 --steps 1000 \
    --json ica.json --out ica
have rbm/rbm_digits-cd-10-3.csv rbm/rbm_digits-pseudo-likelihood-24-2.csv ica/ica_patches-3.csv
command -v gnuplot >/dev/null && have rbm/rbm_digits-pcd-24.png ica/ica_patches.png

cp "$data" table.csv
expect 0 '' cd_meets_score_matching --data "$data" --draws 200 --points 6 --low 0.15 --high 0.9 --json cd.json --out scores
small_noise="--data moons --rows 1500 --test-rows 600 --prior-rows 5000 --steps 1500 --hidden 32 --sd-x 0.4 --sd-y 0.3"
expect 0 '' denoise $small_noise --json denoise.json --out scores
expect 0 '' denoise $small_noise --json denoise-again.json --out scores-again --quiet
[ ! -s stdout ] || complain "denoise --quiet prints something"
cmp -s denoise.json denoise-again.json || complain "denoise gives other numbers for the same seed"
expect 0 '' denoise --data "$data" --steps 100 --json denoise-file.json --out scores-again
expect 0 '' score_field --rows 2000 --test-rows 800 --steps 500 --hidden 32 --json scores.json --out scores
expect 1 'failed: step' score_field --rows 100 --test-rows 50 --steps 20 --loss nce,denoising --rate 1e30 \
    --json scores-failed.json --out scores-again
for file in cd_meets_score_matching-Gaussian cd_meets_score_matching-network denoise score_field-truth score_field-stein; do
    have scores/$file.csv
done
for picture in cd_meets_score_matching denoise score_field; do
    command -v gnuplot >/dev/null && have scores/$picture.png
done

# Without gnuplot: one sentence, the data files, and success.
PATH=/nowhere "$programs/geyer_gaussian" --draws 2 --grid 3 --out bare --quiet 2>stderr || complain "fails without gnuplot"
grep -q 'gnuplot is not installed' stderr && [ "$(wc -l <stderr)" = 1 ] || complain "no sentence about gnuplot"
have bare/geyer-1a.csv bare/geyer-1b.csv

"$python" "$here/check.py" "$iris" "$here/../../README.md" || failures=$((failures + 1))
[ $failures = 0 ] && echo "all is well" || exit 1
