# Sourced by check.sh: denoising, contrastive divergence beside score matching, and every loss at once.

cp "$data" table.csv
expect 0 '' cd_meets_score_matching --data "$data" --draws $(size 200 5) --points $(size 6 3) --low 0.15 --high 0.9 \
    --json cd.json --out scores
noisy="--data moons --sd-x 0.4 --sd-y 0.3 $(size \
    '--rows 1500 --test-rows 600 --prior-rows 5000 --steps 1500 --hidden 32' \
    '--rows 50 --test-rows 20 --prior-rows 50 --steps 3 --hidden 4')"
expect 0 '' denoise $noisy --json denoise.json --out scores
expect 0 '' denoise $noisy --json denoise-again.json --out scores-again --quiet
[ ! -s stdout ] || complain "denoise --quiet prints something"
cmp -s denoise.json denoise-again.json || complain "denoise gives other numbers for the same seed"
expect 0 '' denoise --data "$data" --steps $(size 100 3) --json denoise-file.json --out scores-again
expect 0 '' score_field $(size '--rows 2000 --test-rows 800 --steps 500 --hidden 32' \
    '--rows 50 --test-rows 20 --steps 2 --hidden 4') --json scores.json --out scores
expect 1 'failed: step' score_field --rows 100 --test-rows 50 --steps 20 --loss nce,denoising --rate 1e30 \
    --json scores-failed.json --out scores-again
for file in cd_meets_score_matching-Gaussian cd_meets_score_matching-network denoise score_field-truth \
    score_field-stein; do
    have scores/$file.csv
done
for picture in cd_meets_score_matching denoise score_field; do
    have_pictures scores/$picture.png
done
