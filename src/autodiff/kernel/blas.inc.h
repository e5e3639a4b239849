/* blas.inc.h — products by BLAS. Included by products.inc.h. */

static void NAME(wide)(const ad_product *x)
{
    const size_t row = (size_t)x->n * sizeof(REAL);
    if (x->start && x->start != x->c)
        for (int64_t i = 0; i < x->m; i++) memcpy((REAL *)x->c + i * x->n, x->start, row);
    GEMM(CblasRowMajor, x->ta ? CblasTrans : CblasNoTrans, x->tb ? CblasTrans : CblasNoTrans, (int)x->m, (int)x->n,
         (int)x->k, 1, x->a, (int)x->next_a, x->b, (int)(x->tb ? x->k : x->n), x->start ? 1 : 0, x->c, (int)x->n);
}

typedef char NAME(room)[0]; /* it takes its own */
