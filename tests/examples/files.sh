# Sourced by check.sh: files that cannot be read or written, and an stdout that cannot be.

small="--data $data --steps $(size 20 3) --hidden 8,8 --noise-ratio 2"
printf 'a,b\n1,2\n3\n' >ragged.csv
printf 'a,b\n1,2\nnan,4\n2,3\n3,1\n4,4\n5,6\n' >nan.csv
printf 'a,b\n1,2\n2,2\n3,2\n4,2\n5,2\n6,2\n' >constant.csv
printf '2\n2\n' >twos.csv
printf '1,2,3,4,9\n5,6,7,8,1\n' >label.csv
printf '1,2,3,4\n5,6,7,8\n9,1,2,4\n4,4,3,2\n5,5,1,2\n' >wide.csv
# What is wrong with a file is said before the first line is printed, and where it was looked for.
for program in cd_meets_score_matching conditional denoise density2d ica_patches maxent rbm_digits score_field; do
    expect 1 "nowhere.csv: there is no such file, neither here nor in $images" $program --data nowhere.csv
    [ ! -s stdout ] || complain "$program --data nowhere.csv: printed something before it failed"
    expect 1 "cannot open './nowhere.csv': No such file" $program --data ./nowhere.csv
done
# The data that ship are found from any folder, by their names alone as well; one's own file of that name goes before.
expect 0 '' density2d --steps 3 --hidden 4 --loss nce --quiet --out shipped
expect 0 '' density2d --steps 3 --hidden 4 --loss nce --quiet --out named --data faithful.csv
cmp -s shipped/density2d-nce.csv named/density2d-nce.csv || complain "faithful.csv is not the file that ships"
printf 'a,b\n1,2\n2,2\n3,2\n4,2\n5,2\n6,2\n' >iris.csv
expect 1 'is constant' density2d --data iris.csv
rm iris.csv

# Tables as people have them: what was left out is said on stderr, and how to read them can be told.
quick="--steps 3 --hidden 4 --loss nce --out read"
awk -F, 'NR == 1 { print "\"x\";\"y\""; next } { print "\"" NR "\";" $1 ";" $2 }' "$data" | tr . , >r.csv
expect 0 "r.csv: CSV separated by ';', with a header; row names left out" density2d $quick --data r.csv --decimal ,
cmp -s read/density2d-nce.csv shipped/density2d-nce.csv || complain "R's spelling of faithful.csv is another table"
expect 1 "r.csv:2: column 2 (x): '3,6' is not a number: if its comma is a decimal one, say so" density2d --data r.csv
expect 0 '1 of 6 rows dropped, for 1 missing value' maxent --data nan.csv --missing drop
expect 64 '--separator: «ab» is no character, nor tab or blank' density2d --separator ab
expect 64 '--missing: «keep» is none of drop, refuse' density2d --missing keep
awk -F, 'NR == 1 { print; next } { print $1 "," $2 "," $3 "," $4 "," substr("abc", $5 + 1, 1) }' "$iris" >kinds.csv
expect 0 'labels of column 5' conditional --data kinds.csv --labels 5 --rows 30 --steps 3 --out read
expect 1 "'a' is not a number: leave the column out, or read it as labels" conditional --data kinds.csv

# --json -: the JSON alone on stdout, and what would be printed there on stderr.
for program in "maxent" "density2d --steps 3 --hidden 4 --loss nce" "conditional --rows 30 --steps 3"; do
    "$programs"/$program --json - >only.json 2>printed || complain "$program --json -: status $?"
    grep -q 'out/' printed || complain "$program --json -: the table is not on stderr"
    [ ! -e ./- ] || complain "$program --json - makes a file"
    "$programs"/$program --json - --quiet >quiet.json 2>printed || complain "$program --json - --quiet: status $?"
    [ ! -s printed ] || complain "$program --json - --quiet: writes to stderr"
    "$python" -c 'import json; assert json.load(open("only.json")).keys() == json.load(open("quiet.json")).keys()' ||
        complain "$program --json -: stdout is no JSON"
done
expect 1 'the first column is constant' maxent --data twos.csv
expect 1 'wide.csv has 4 columns; four inputs and a label are needed' conditional --data wide.csv
expect 1 'row 1, column 5 is 9, not a whole number from 0 to 2' conditional --data label.csv
expect 1 'ragged.csv:3:' density2d --data ragged.csv
expect 1 'nan.csv:3:' density2d --data nan.csv
expect 1 'column 2 (b) is constant' density2d --data constant.csv
expect 1 'rows of 2 numbers are no square images' rbm_digits --data "$data"
expect 1 'images of 2 × 2 pixels are too small for patches of 8 × 8' ica_patches --data wide.csv
: >file
expect 1 'file: nothing can be written there' density2d $small --out file
expect 1 'file/x: the folder cannot be made' geyer_gaussian --out file/x
expect 1 'nowhere/r.json: cannot be written' density2d $small --json nowhere/r.json
for program in maxent mixture conditional chain_crf ising contacts compose; do
    expect 1 'nowhere/r.json: cannot be written' $program --json nowhere/r.json
    expect 1 'file/x: the folder cannot be made' $program --out file/x
done
expect 1 'nowhere/r.json: cannot be written' geyer_gaussian --json nowhere/r.json
for program in score_field cd_meets_score_matching denoise; do
    expect 1 'wide.csv has 4 columns; two are needed' $program --data wide.csv
    expect 1 'file: nothing can be written there' $program --data moons --out file
    expect 1 'nowhere/r.json: cannot be written' $program --data moons --json nowhere/r.json
done

# ---- What cannot be printed is not lost silently ----
if [ -w /dev/full ]; then
    for program in "custom_energy $wells" maxent "maxent --help" "conditional --data $iris --rows 30 --steps 3" "density2d $small --loss nce"; do
        # shellcheck disable=SC2086
        "$programs"/$program >/dev/full 2>stderr && complain "$program >/dev/full: status 0"
        case $program in custom_energy*) continue ;; esac
        grep -q 'stdout' stderr || complain "$program >/dev/full: no sentence on stderr"
    done
    expect 1 '/dev/full: cannot be written' maxent --data "$data" --json /dev/full
    "$programs/maxent" --json - --quiet >/dev/full 2>stderr && complain "maxent --json - >/dev/full: status 0"
    grep -q -e '-: cannot be written' stderr || complain "maxent --json - >/dev/full: no sentence on stderr"
fi
"$programs/custom_energy" "$wells" >&- 2>stderr && complain "custom_energy with stdout closed: status 0"
"$programs/maxent" --json closed.json >&- 2>stderr && complain "maxent with stdout closed: status 0"
grep -q 'stdout' stderr || complain "maxent with stdout closed: no sentence on stderr"
"$programs/maxent" --data "$data" --quiet >&- 2>stderr || complain "maxent --quiet needs a stdout"
