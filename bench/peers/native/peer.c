#define _POSIX_C_SOURCE 200809L
#include "peer.h"

#include "../../timing.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

enum { MOST_OPEN = 8, ALIGN = 64 };

/* ---- What a method's `open` reads ---- */

double peer_number(peer_request *r, const char *field)
{
    const json_t *number = json_object_get(r->numbers, field);
    if (json_is_number(number)) return json_number_value(number);
    snprintf(r->reason, sizeof r->reason, "the case has no number %s", field);
    return NAN;
}

const double *peer_tensor(peer_request *r, const char *name, ad_shape *shape)
{
    const ebm_tensor *t = ebm_tensors_find(r->file, name);
    if (!t || t->dtype != GIBBS_FLOAT64) {
        snprintf(r->reason, sizeof r->reason, "no %s in the reference", name);
        return NULL;
    }
    if (shape) *shape = t->shape;
    return (const double *)t->data;
}

void *peer_copy(peer_request *r, const char *name)
{
    ad_shape shape;
    const double *from = peer_tensor(r, name, &shape);
    if (!from) return NULL;
    int64_t n = ad_shape_count(&shape);
    size_t bytes = (gibbs_dtype_size(r->dtype) * (size_t)n + ALIGN) / ALIGN * ALIGN;
    void *to = aligned_alloc(ALIGN, bytes);
    if (!to) {
        snprintf(r->reason, sizeof r->reason, "out of memory");
        return NULL;
    }
    for (int64_t i = 0; i < n; i++)
        if (r->dtype == GIBBS_FLOAT64) ((double *)to)[i] = from[i];
        else ((float *)to)[i] = (float)from[i];
    return to;
}

/* ---- The comparison, as in protocol.py ---- */

static int agrees(const peer_method *m, void *problem, peer_request *r)
{
    ad_shape shape;
    const double *value = peer_tensor(r, "value", NULL), *want = peer_tensor(r, "gradient", &shape);
    int64_t n = value && want ? ad_shape_count(&shape) : 0;
    double *gradient = malloc(sizeof *gradient * (size_t)(n + 1)), gap = 0, norm = 0;
    if (!n || !gradient) {
        free(gradient);
        return 0;
    }
    for (int64_t i = 0; i < n; i++) gradient[i] = NAN; /* so that one that is left out does not go unseen */
    double answer = m->answer(problem, gradient), tolerance = m->dtype == GIBBS_FLOAT64 ? 1e-9 : 1e-3;
    for (int64_t i = 0; i < n; i++) {
        gap += (gradient[i] - want[i]) * (gradient[i] - want[i]);
        norm += want[i] * want[i];
    }
    free(gradient);
    double value_error = fabs(answer - *value) / fmax(1, fabs(*value)), gradient_error = sqrt(gap / norm);
    if (value_error <= tolerance && gradient_error <= tolerance) return 1;
    snprintf(r->reason, sizeof r->reason, "value off by %.2g, gradient by %.2g; allowed is %.0e", value_error,
             gradient_error, tolerance);
    return 0;
}

/* ---- Requests ---- */

typedef struct server {
    const peer_method *const *methods;
    gibbs_dtype dtype;
    int threads, count;
    struct {
        const peer_method *method;
        void *problem;
    } open[MOST_OPEN]; /* one a formulation */
} server;

static const char *text(const json_t *object, const char *key)
{
    const char *string = json_string_value(json_object_get(object, key));
    return string ? string : "";
}

static const peer_method *find(const server *s, const char *name, const char *formulation)
{
    for (const peer_method *const *m = s->methods; *m; m++)
        if (!strcmp((*m)->name, name) && !strcmp((*m)->formulation, formulation) && (*m)->dtype == s->dtype) return *m;
    return NULL;
}

static json_t *refuse(const char *reason) { return json_pack("{ss, ss}", "status", "refused", "reason", reason); }

static json_t *accepted(void) { return json_pack("{ss}", "status", "ok"); }

static json_t *keep_if_it_agrees(server *s, const peer_method *m, peer_request *r)
{
    void *problem = m->open(r);
    if (problem && agrees(m, problem, r)) {
        s->open[s->count].method = m;
        s->open[s->count++].problem = problem;
        return accepted();
    }
    if (problem) m->close(problem);
    return refuse(*r->reason ? r->reason : "out of memory");
}

static json_t *command_open(server *s, const json_t *request)
{
    gibbs_error error = {0};
    ebm_tensors file;
    const json_t *numbers = json_object_get(request, "case");
    const peer_method *m = find(s, text(numbers, "method"), text(request, "formulation"));
    if (!m || s->count == MOST_OPEN) return refuse(m ? "too many are open" : "this peer does not do that");
    if (ebm_tensors_read(text(request, "file"), NULL, &file, &error)) return refuse(error.message);
    peer_request r = {numbers, &file, m->formulation, s->dtype, s->threads, ""};
    json_t *answer = keep_if_it_agrees(s, m, &r);
    ebm_tensors_free(&file);
    return answer;
}

static json_t *command_close(server *s, const json_t *request)
{
    (void)request;
    while (s->count) {
        s->count--;
        s->open[s->count].method->close(s->open[s->count].problem);
    }
    return accepted();
}

typedef struct work {
    void (*step)(void *problem);
    void *problem;
} work;

static gibbs_status one_step(void *context, gibbs_error *error)
{
    const work *w = context;
    (void)error;
    w->step(w->problem);
    return GIBBS_OK;
}

static json_t *command_measure(server *s, const json_t *request)
{
    double seconds = json_number_value(json_object_get(request, "seconds")), microseconds;
    for (int i = 0; i < s->count; i++)
        if (!strcmp(s->open[i].method->formulation, text(request, "formulation"))) {
            work w = {s->open[i].method->step, s->open[i].problem};
            gibbs_error error;
            bench_median(one_step, &w, seconds, &microseconds, &error);
            return json_pack("{ss, sf}", "status", "ok", "us", microseconds);
        }
    return refuse("that is not open");
}

static json_t *obey(server *s, const json_t *request)
{
    static const struct {
        const char *name;
        json_t *(*run)(server *s, const json_t *request);
    } commands[] = {{"open", command_open}, {"measure", command_measure}, {"close", command_close}};
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (!strcmp(commands[i].name, text(request, "command"))) return commands[i].run(s, request);
    return refuse("there is no such command");
}

/* ---- The conversation ---- */

static void answer(FILE *out, json_t *object)
{
    json_dumpf(object, out, 0);
    fputc('\n', out);
    fflush(out);
    json_decref(object);
}

int peer_serve(int argc, char **argv, const char *version, const peer_method *const *methods)
{
    if (argc != 3) return fprintf(stderr, "usage: %s float32|float64 THREADS\n", argv[0]), EX_USAGE;
    server s = {.methods = methods, .threads = atoi(argv[2])};
    s.dtype = strcmp(argv[1], "float64") ? GIBBS_FLOAT32 : GIBBS_FLOAT64;
    FILE *out = fdopen(dup(STDOUT_FILENO), "w");
    if (!out || dup2(STDERR_FILENO, STDOUT_FILENO) < 0) return EX_OSERR; /* what a peer's library prints */
    answer(out, json_pack("{ss, ss}", "status", "ok", "version", version));
    char *line = NULL;
    size_t size = 0;
    while (getline(&line, &size, stdin) >= 0) {
        json_t *request = json_loads(line, 0, NULL);
        answer(out, obey(&s, request));
        json_decref(request);
    }
    json_decref(command_close(&s, NULL));
    free(line);
    fclose(out);
    return EX_OK;
}
