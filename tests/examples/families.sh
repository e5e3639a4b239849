# Sourced by check.sh: exponential families, mixtures, conditional models, spins and products.

expect 0 '' maxent --data "$data" --json maxent.json --out more
expect 0 '' mixture $(size '--rows 500 --sizes 3' '--rows 50 --sizes 2') --json mixture.json --out more
expect 0 '' conditional --data "$iris" $(size '--rows 1000 --steps 400' '--rows 30 --steps 3') --json conditional.json \
    --out more
expect 0 '' chain_crf --chains $(size 500 20) --json chain_crf.json --out more
expect 0 '' ising --rows 50 --steps $(size 200 3) --repeats 1 --json ising.json --out more
expect 0 '' compose $(size '--steps 300 --chains 2000 --moves 300' '--rows 50 --steps 3 --chains 20 --moves 6') \
    --json compose.json --out more
# An alignment in each format is the same alignment: A3M has insertions in small letters, Stockholm two blocks.
hairpin=$(dirname "$data")/hairpin.fasta
head -n $(size 800 12) "$hairpin" >a.fasta
grep -v '>' a.fasta >a.lines
sed '/>/!s/^\(.....\)/\1abc/; 2s/abc//' a.fasta >a.a3m
{
    printf '# STOCKHOLM 1.0\n\n#=GF ID hairpin\n'
    awk '/>/ {name = substr($1, 2); next} {print name, substr($1, 1, 13)}' a.fasta
    printf '\n'
    awk '/>/ {name = substr($1, 2); next} {print name, substr($1, 14)}' a.fasta
    printf '#=GC SS_cons .\n//\n'
} >a.sto
for format in fasta lines a3m sto; do
    expect 0 '' contacts --data a.$format --steps $(size 15 1) --json contacts-$format.json --out more --quiet
done
printf '>a\nACD\n>b\nAC\n' >short.fasta
expect 1 'short.fasta: sequence 2 (b) has 2 sites, the first one has 3' contacts --data short.fasta --out more
printf '>a\nACD\n>b\nA7D\n' >digit.fasta
expect 1 'sequence 2 (b) has «7» at site 2' contacts --data digit.fasta --out more
printf '>a\nACD\n' >one.fasta
expect 1 'one.fasta: 1 sequences; an alignment has two or more' contacts --data one.fasta --out more
expect 1 'nowhere.fasta: No such file' contacts --data nowhere.fasta --out more
have more/contacts-mutants.csv
for picture in contacts maxent-die maxent-moments mixture conditional-iris conditional-pitchfork chain_crf ising ising-couplings compose; do
    have more/$picture.csv
    have_pictures more/$picture.png
done
expect 0 '' conditional --data "$iris" --rows 30 --steps 3 --out other --quiet
[ ! -s stdout ] || complain "conditional --quiet prints something"
