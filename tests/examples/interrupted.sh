# Sourced by check.sh: trainings that are interrupted and go on end with the numbers of one that was not.

steps=$(size 3000 40)
same='import json, sys
def kept(v):
    if isinstance(v, dict): return {k: kept(w) for k, w in v.items() if "second" not in k}
    return [kept(w) for w in v] if isinstance(v, list) else v
a, b = (kept(json.load(open(n))) for n in sys.argv[1:])
sys.exit(a != b)'
train="density2d --data $data --loss nce,cd --steps $steps --hidden 16,16 --quiet --threads 1"
expect 0 '' $train --out whole --json whole.json
wait=0.2 stops=0
while :; do
    timeout -s INT "$wait" "$programs"/$train --out part --json part.json --checkpoint ck --resume >stdout 2>stderr && break
    [ -s ck.cd ] && stops=$((stops + 1))
    wait=$(awk "BEGIN { print 1.3 * $wait }") # a slow machine gets on, too
done
[ "$stops" -gt 0 ] || complain "no training was interrupted"
"$python" -c "$same" whole.json part.json || complain "$train: interrupted $stops times, other numbers come out"
expect 0 '' $train --out part --json again.json --checkpoint ck --resume
"$python" -c "$same" whole.json again.json || complain "$train --resume: what is over is not as it was"

# What differs is said; so is what there is to do.
expect 1 'fit.weight_decay is' density2d --data "$data" --loss nce,cd --steps "$steps" --hidden 16,16 --threads 1 \
    --weight-decay 0.5 --out part --checkpoint ck --resume
expect 64 '--resume: from which file' density2d --resume
expect 1 'cannot write' conditional --rows 30 --steps 3 --checkpoint nowhere/ck
