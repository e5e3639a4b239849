/* A header that does not include what it uses: tests/header must reject it. */
size_t gibbs_incomplete(void);
