/* A training that is killed at random, again and again, ends with the bits of one that was not: parameters, report and
 * history. 20 kills; times GIBBS_TEST_TIMES squared, as `script/test --long` sets it. */
#include "base/random.h"

#include <gibbs/ebm.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { STEPS = 150, KILLS = 20, EVERY = 3 };

static const ebm_fit_options trainings[] = {
    {.loss = &ebm_loss_denoising, .steps = STEPS, .batch = 64, .validation_fraction = 0.2, .average = 0.9, .seed = 7,
     .schedule = EBM_SCHEDULE_COSINE, .rate = 1e-2, .threads = 1, .loss_options = {.noise_sd = 0.3}},
    {.loss = &ebm_loss_pcd, .steps = STEPS, .batch = 64, .seed = 7, .rate = 1e-2, .threads = 1,
     .loss_options = {.buffer = 256, .sampler_step = 0.05, .sampler_steps = 3}},
};

static void must(gibbs_status status, const gibbs_error *error)
{
    if (!status) return;
    printf("%s\n", error->message);
    exit(1);
}

typedef struct saver {
    ebm_trainer *trainer;
    const char *path;
} saver;

static int save(void *context, const ebm_progress *p)
{
    saver *s = context;
    gibbs_error error;
    if (p->step % EVERY == 0) must(ebm_trainer_save(s->trainer, s->path, &error), &error);
    return 0;
}

/* A process's work: goes on with the file, if there is one, to the end. */
static void train(const ebm_fit_options *options, const char *path)
{
    gibbs_error error;
    ebm_data data;
    ebm_model *model;
    int64_t width = 8;
    saver s = {.path = path};
    ebm_fit_options o = *options;
    o.progress = save, o.context = &s;
    must(ebm_data_generate("moons", 200, 3, NULL, &data, &error), &error);
    ebm_mlp_spec spec = {.dim = 2, .widths = &width, .layers = 1, .base_sd = 3, .seed = 1};
    must(ebm_model_mlp(&spec, &model, &error), &error);
    must(ebm_trainer_new(model, &data, &o, &s.trainer, &error), &error);
    if (!access(path, F_OK)) must(ebm_trainer_load(s.trainer, path, &error), &error);
    must(ebm_trainer_run(s.trainer, 0, &error), &error);
    must(ebm_trainer_save(s.trainer, path, &error), &error);
    ebm_trainer_free(s.trainer);
    ebm_model_free(model);
    ebm_data_free(&data);
}

/* Runs it in a process, which is killed after so long; 1 when it was, before it was done. */
static int run_for(const ebm_fit_options *options, const char *path, long microseconds)
{
    int status;
    pid_t child = fork();
    if (child < 0) exit(2);
    if (!child) {
        train(options, path);
        _exit(0);
    }
    struct timespec time = {microseconds / 1000000, microseconds % 1000000 * 1000};
    if (microseconds >= 0) {
        nanosleep(&time, NULL);
        kill(child, SIGKILL);
    }
    waitpid(child, &status, 0);
    if (WIFEXITED(status) && WEXITSTATUS(status)) exit(1);
    return !WIFEXITED(status);
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* The same tensors in both files, but for the time that it took. */
static int same(const char *one, const char *two)
{
    gibbs_error error;
    ebm_tensors a, b;
    must(ebm_tensors_read(one, NULL, &a, &error), &error);
    must(ebm_tensors_read(two, NULL, &b, &error), &error);
    int good = a.count == b.count;
    for (int k = 0; k < a.count && good; k++) {
        const ebm_tensor *t = ebm_tensors_find(&b, a.tensor[k].name);
        size_t bytes = 8;
        for (int d = 0; d < a.tensor[k].shape.rank; d++) bytes *= (size_t)a.tensor[k].shape.dim[d];
        good = !strcmp(a.tensor[k].name, "report.seconds") || (t && !memcmp(a.tensor[k].data, t->data, bytes));
        if (!good) printf("%s differs\n", a.tensor[k].name);
    }
    ebm_tensors_free(&a);
    ebm_tensors_free(&b);
    return good;
}

static int check(const ebm_fit_options *options, int wanted)
{
    double start = seconds();
    unlink("whole");
    run_for(options, "whole", -1);
    long whole = (long)(1e6 * (seconds() - start));
    gibbs_words words = gibbs_words_start((uint64_t)time(NULL), 0, 0);
    int kills = 0, runs = 0, good = 1;
    for (; kills < wanted && good && runs < 50 * wanted; runs++) {
        unlink("ck");
        while (run_for(options, "ck", (long)(gibbs_words_unit(&words) * 0.7 * (double)whole))) kills++;
        good = same("whole", "ck");
    }
    printf("%s: killed %d times in %d trainings\n", options->loss->name, kills, runs);
    return good && kills >= wanted;
}

int main(void)
{
    const char *times = getenv("GIBBS_TEST_TIMES");
    int more = times ? atoi(times) : 1, good = 1;
    char folder[] = "/tmp/gibbs-killed-XXXXXX", command[64];
    if (!mkdtemp(folder) || chdir(folder)) return 2;
    for (size_t k = 0; k < sizeof trainings / sizeof *trainings; k++)
        good &= check(&trainings[k], KILLS / 2 * more * more * (more > 1 ? 2 : 1));
    snprintf(command, sizeof command, "ls -A %s", folder);
    unlink("ck"), unlink("whole");
    if (chdir("/") || rmdir(folder)) printf("something was left:\n"), fflush(stdout), good = system(command) < 0;
    return !good;
}
