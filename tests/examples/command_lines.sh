# Sourced by check.sh: wrong command lines are refused before anything is run; --help shows the defaults.

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
refuse '«--bogus» is no option' density2d --bogus
refuse '«-x» is no option' density2d -x
refuse '--json: an argument is missing' density2d --json
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
expect 0 '(default hairpin.fasta)' contacts --help
refuse '--steps: «0» is not a whole number of at least 1' contacts --steps 0
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

for program in cd_meets_score_matching chain_crf compose conditional contacts denoise density2d geyer_gaussian ica_patches \
    ising maxent mixture rbm_digits score_field; do
    expect 0 "$program (gibbs) " $program --version
    expect 0 'to stdout, where' $program --help
done
