# Sourced by check.sh: exponential families, mixtures, conditional models, spins and products.

expect 0 '' maxent --data "$data" --json maxent.json --out more
expect 0 '' mixture $(size '--rows 500 --sizes 3' '--rows 50 --sizes 2') --json mixture.json --out more
expect 0 '' conditional --data "$iris" $(size '--rows 1000 --steps 400' '--rows 30 --steps 3') --json conditional.json \
    --out more
expect 0 '' chain_crf --chains $(size 500 20) --json chain_crf.json --out more
expect 0 '' ising --rows 50 --steps $(size 200 3) --repeats 1 --json ising.json --out more
expect 0 '' compose $(size '--steps 300 --chains 2000 --moves 300' '--rows 50 --steps 3 --chains 20 --moves 6') \
    --json compose.json --out more
for picture in maxent-die maxent-moments mixture conditional-iris conditional-pitchfork chain_crf ising ising-couplings compose; do
    have more/$picture.csv
    have_pictures more/$picture.png
done
expect 0 '' conditional --data "$iris" --rows 30 --steps 3 --out other --quiet
[ ! -s stdout ] || complain "conditional --quiet prints something"
