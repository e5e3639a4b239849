# Sourced by check.sh: the first examples, in the plane and on the line.

expect 0 'log Z = ' custom_energy "$wells"
have custom_energy.safetensors
cp stdout custom_energy.txt
expect 0 'normalisable' custom_energy "$data"
expect 1 'usage: custom_energy FILE.csv' custom_energy
expect 1 'usage: custom_energy FILE.csv' custom_energy --help
expect 1 'usage: custom_energy FILE.csv' custom_energy "$wells" "$wells"
printf '5\n' >one.csv
printf 'a,b\n1,2\n3\n' >ragged.csv
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
# Large numbers of small spread keep the digits that tell them apart.
awk -F, 'NR > 1 { printf "%.1f\n", 1000000 + $1 }' heights.csv >far.csv
expect 0 '300 rows, x = (column 1 - 1000' custom_energy far.csv
grep -qE '^draws: 1000[0-9]{3}\.[0-9]+, ' stdout || complain "custom_energy's draws lose digits"
expect 1 'not normalisable' custom_energy tails.csv

small="--data $data --hidden 8,8 --noise-ratio 2 --steps $(size 20 3)"
expect 0 '' density2d $small --json four.json --out deep/er
grep -q '^score-matching ' stdout || complain "density2d prints no row for score matching"
for loss in ml-is cd score-matching nce; do
    have deep/er/density2d-$loss.csv deep/er/density2d-$loss-score.csv deep/er/density2d-$loss-history.csv \
        deep/er/density2d-$loss.safetensors
    have_pictures deep/er/density2d-$loss.png
done
have deep/er/density2d-data.csv
have_pictures deep/er/density2d-history.png
[ "$(grep -h '^N = .*TOP = ' deep/er/density2d-*.gnuplot | sort -u | wc -l)" = 1 ] ||
    complain "the scales of colours differ"
grep -q 'eruptions (min)' deep/er/density2d-nce.gnuplot || complain "the axes have no units"
expect 1 'failed: step' density2d $small --loss nce --rate 1e30 --json failed.json
cut -d, -f1 "$data" >line.csv
expect 0 '' density2d $small --data line.csv --loss cd,nce --double --json line.json --out line
have line/density2d-cd.csv line/density2d-nce.csv
have_pictures line/density2d-cd.png line/density2d-nce.png line/density2d-history.png
if [ -z "$tiny" ]; then # quadrature in three dimensions is long
    cut -d, -f1-3 "$iris" >three.csv
    expect 0 'More than 2 columns: no picture of the density' density2d $small --data three.csv --loss nce --out three
    have three/density2d-nce-history.csv
    [ ! -e three/density2d-nce.csv ] || complain "density2d writes a picture's table of three columns"
fi
expect 0 '' density2d $small --data moons --rows 60 --loss nce --out moons
grep -q '^moons: 2 columns, 48 training rows' stdout || complain "density2d does not say how many moons it trains on"
have moons/density2d-nce.csv
# More columns than quadrature can do: log Z by importance sampling, no picture of the density.
expect 0 '' density2d $small --data "$iris" --steps $(size 600 3) --noise-ratio $(size 20 2) \
    --loss ml-is,score-matching --out five --json five.json
grep -q '^More than 3 columns: no quadrature' stdout || complain "density2d does not say what five columns leave out"
have five/density2d-ml-is.safetensors five/density2d-ml-is-history.csv
have_pictures five/density2d-history.png
expect 0 'too small' density2d $small --data "$iris" --loss nce --steps 3 --json few.json
[ ! -e five/density2d-ml-is.gnuplot ] || complain "density2d draws five columns in the plane"
gzip -c "$data" >packed.gz
expect 0 '' density2d $small --data packed.gz --loss cd --out packed --quiet
[ ! -s stdout ] || complain "--quiet prints something"
cmp -s packed/density2d-cd.csv deep/er/density2d-cd.csv || complain "a packed table gives another density"
[ -n "$tiny" ] || expect 0 '' density2d $small --json again.json --out again --quiet

expect 0 '' geyer_gaussian --draws $(size 5 2) --grid $(size 7 3) --json geyer.json --out geyer
for panel in 1a 1b 1c 2a 2a-fresh 2b 2b-n5000; do
    have geyer/geyer-$panel.csv
    have_pictures geyer/geyer-$panel.png
done

# Without gnuplot: one sentence, the data files, and success.
PATH=/nowhere "$programs/geyer_gaussian" --draws 2 --grid 3 --out bare --quiet 2>stderr ||
    complain "fails without gnuplot"
grep -q 'gnuplot is not installed' stderr && [ "$(wc -l <stderr)" = 1 ] || complain "no sentence about gnuplot"
have bare/geyer-1a.csv bare/geyer-1b.csv
