/* draws_write.c — draws in files: a table, an array, and CmdStan's CSV. */
#include "ebm/data/data_private.h"

#include <gibbs/draws.h>

#include <ctype.h>
#include <math.h>
#include <string.h>

static gibbs_status check(const char *path, const ebm_draws *d, gibbs_error *error)
{
    GIBBS_REQUIRE("draws", path && d, error);
    if (d->x && d->chains > 0 && d->draws > 0 && d->cols > 0) return GIBBS_OK;
    return gibbs_fail(error, GIBBS_ARGUMENT, "draws: there are none to write");
}

static const double *draw_at(const ebm_draws *d, int64_t chain, int64_t draw)
{
    return d->x + (draw * d->chains + chain) * d->cols;
}

static void write_numbers(FILE *file, const double *x, int64_t count)
{
    for (int64_t k = 0; k < count; k++) fprintf(file, ",%.17g", x[k]);
    fputc('\n', file);
}

/* Opens a file, writes it in C notation and closes it. `chain` is for writers of one chain. */
static gibbs_status write_with(const char *path, const ebm_draws *d, int64_t chain,
                               void (*write)(FILE *file, const ebm_draws *d, int64_t chain), gibbs_error *error)
{
    ebm_locale locale;
    ebm_writer writer;
    if (!ebm_locale_enter(&locale)) return gibbs_fail(error, GIBBS_MEMORY, "no memory for the C locale");
    gibbs_status status = ebm_writer_open(path, &writer, error);
    if (!status) {
        write(writer.file, d, chain);
        status = ebm_writer_close(&writer, GIBBS_OK, error);
    }
    ebm_locale_leave(&locale);
    return status;
}

/* ---- A table ---- */

static void write_csv(FILE *file, const ebm_draws *d, int64_t chain)
{
    fputs("chain,draw", file);
    for (int64_t k = 0; k < d->cols; k++) {
        fputc(',', file);
        if (d->names) ebm_csv_write_name(file, d->names[k]);
        else fprintf(file, "x%lld", (long long)k + 1);
    }
    fputc('\n', file);
    for (chain = 0; chain < d->chains; chain++)
        for (int64_t t = 0; t < d->draws && !ferror(file); t++) {
            fprintf(file, "%lld,%lld", (long long)chain + 1, (long long)t + 1);
            write_numbers(file, draw_at(d, chain, t), d->cols);
        }
}

gibbs_status ebm_draws_write_csv(const char *path, const ebm_draws *d, gibbs_error *error)
{
    gibbs_status status = check(path, d, error);
    return status ? status : write_with(path, d, 0, write_csv, error);
}

/* ---- An array ---- */

static void write_npy(FILE *file, const ebm_draws *d, int64_t chain)
{
    ebm_npy_write_header(file, (const int64_t[]){d->chains, d->draws, d->cols}, 3);
    for (chain = 0; chain < d->chains; chain++)
        for (int64_t t = 0; t < d->draws && !ferror(file); t++)
            fwrite(draw_at(d, chain, t), sizeof *d->x, (size_t)d->cols, file);
}

gibbs_status ebm_draws_write_npy(const char *path, const ebm_draws *d, gibbs_error *error)
{
    gibbs_status status = check(path, d, error);
    return status ? status : write_with(path, d, 0, write_npy, error);
}

/* ---- CmdStan's ---- */

static void write_stan_name(FILE *file, const ebm_draws *d, int64_t k)
{
    const char *name = d->names ? d->names[k] : NULL;
    if (!name) {
        fprintf(file, ",x.%lld", (long long)k + 1);
        return;
    }
    fputs(isalpha((unsigned char)*name) ? "," : ",x_", file);
    for (; *name; name++) fputc(isalnum((unsigned char)*name) ? *name : '_', file);
}

/* The comments are CmdStan's configuration, as far as readers ask for it. */
static void write_stan(FILE *file, const ebm_draws *d, int64_t chain)
{
    fprintf(file, "# stan_version_major = 2\n# stan_version_minor = 0\n# stan_version_patch = 0\n# model = gibbs\n"
            "# method = sample (Default)\n#   sample\n#     num_samples = %lld\n#     num_warmup = 0\n"
            "#     save_warmup = 0 (Default)\n#     thin = %lld\n# id = %lld\n# data\n#   file = \n# init = 2 (Default)\n"
            "# random\n#   seed = 0\n", (long long)d->draws, (long long)d->thin, (long long)chain + 1);
    fputs("lp__,accept_stat__,stepsize__", file);
    for (int64_t k = 0; k < d->cols; k++) write_stan_name(file, d, k);
    fprintf(file, "\n# Adaptation terminated\n# Step size = %.17g\n", d->step);
    for (int64_t t = 0; t < d->draws && !ferror(file); t++) {
        fprintf(file, "%.17g,%.17g,%.17g", d->energy ? -d->energy[t * d->chains + chain] : NAN, d->acceptance, d->step);
        write_numbers(file, draw_at(d, chain, t), d->cols);
    }
}

gibbs_status ebm_draws_write_cmdstan(const char *prefix, const ebm_draws *d, gibbs_error *error)
{
    gibbs_status status = check(prefix, d, error);
    if (status) return status;
    size_t size = strlen(prefix) + 32;
    gibbs_allocator a = gibbs_allocator_or_default(NULL);
    char *path = gibbs_alloc(&a, size, 1);
    if (!path) return gibbs_fail(error, GIBBS_MEMORY, "draws: out of memory");
    for (int64_t c = 0; c < d->chains && !status; c++) {
        snprintf(path, size, "%s_%lld.csv", prefix, (long long)c + 1);
        status = write_with(path, d, c, write_stan, error);
    }
    gibbs_release(&a, path);
    return status;
}
