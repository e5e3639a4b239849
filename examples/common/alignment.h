/* alignment.h — aligned sequences of proteins from files, as numbers of labels. */
#ifndef EXAMPLES_ALIGNMENT_H
#define EXAMPLES_ALIGNMENT_H

#include <gibbs/status.h>

enum { RESIDUES = 21 }; /* 0 is the gap, then the amino acids by their letters */
extern const char residue_letters[RESIDUES + 1];

typedef struct alignment {
    int64_t rows, sites;
    signed char *label; /* rows × sites */
    double *weight;     /* rows: 1/#{sequences that equal it at 80 % of the sites or more, gaps too; itself} */
    double effective;   /* their sum */
    int64_t unknown;    /* letters that are no amino acid's, which count as gaps */
} alignment;

/* Reads FASTA, Stockholm, A3M (whose insertions, in small letters, are left out), or a sequence a line (its last word),
 * and weighs the rows. A file that is not there is looked for among the data that ship. Errors: IO, FORMAT (sequences
 * of different lengths, what is no letter: with the sequence's number), MEMORY. To be freed after an error as well. */
gibbs_status alignment_read(const char *file, alignment *a, gibbs_error *error);
void alignment_free(alignment *a);

#endif
