# Sourced by check.sh: digits and photographs.

digits="--data $images/digits-idx3-ubyte.gz"
photographs="--data $images/photographs-idx3-ubyte.gz"
expect 1 'nowhere/r.json: cannot be written' rbm_digits $digits --json nowhere/r.json
: >file
printf '1,2,3,4\n5,6,7,8\n' >four.csv
expect 1 'file/x: the folder cannot be made' ica_patches $photographs --out file/x
once=$(size '--rows 800 --steps 1000 --bridges 300 --chains 100' '--rows 100 --steps 3 --bridges 3 --chains 4')
expect 0 '' rbm_digits $digits $once --hidden 10,24 --burn-in $(size 300 3) --json rbm.json --out rbm
expect 0 '' rbm_digits $digits $once --hidden 10 --loss pcd --json rbm-again.json --out rbm-again --quiet
[ ! -s stdout ] || complain "rbm_digits --quiet prints something"
expect 0 '' ica_patches $photographs --side 6 --dims 16 \
    $(size '--patches 6000 --steps 1000' '--patches 100 --steps 3') --json ica.json --out ica
expect 1 '2 × 2 pixels; an even number of rows of pixels and 20 images are needed' embeddings --data four.csv
expect 1 'nowhere/r.json: cannot be written' embeddings $digits --json nowhere/r.json
expect 0 '' embeddings $digits $(size '--steps 600 --negatives 31' '--rows 60 --steps 3 --hidden 4 --negatives 3') \
    --json embeddings.json --out embeddings
have embeddings/embeddings-2.csv
have_pictures embeddings/embeddings.png
have rbm/rbm_digits-cd-10-3.csv rbm/rbm_digits-pseudo-likelihood-24-2.csv ica/ica_patches-3.csv
have_pictures rbm/rbm_digits-pcd-24.png ica/ica_patches.png
