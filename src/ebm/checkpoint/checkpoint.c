/* checkpoint.c — a model in a safetensors file: its parameters, and, as metadata, what its energy is. */
#include "autodiff/tape/tape.h"
#include "describe.h"
#include "ebm/data/data_private.h"

#include <string.h>

static void *place(const ebm_model *model, const ebm_model_parameter *p)
{
    return (char *)model->theta + (size_t)p->offset * gibbs_dtype_size(model->dtype);
}

gibbs_status ebm_model_save(const ebm_model *model, const char *path, gibbs_error *error)
{
    GIBBS_REQUIRE("save", model && path, error);
    ebm_description is;
    gibbs_status status = ebm_describe(model, &is, error);
    if (status) return status;
    ebm_tensor *tensor = gibbs_alloc(&model->alloc, (size_t)model->parameters, sizeof *tensor);
    if (!tensor) status = gibbs_fail(error, GIBBS_MEMORY, "save: out of memory");
    for (int k = 0; k < model->parameters && tensor; k++) {
        const ebm_model_parameter *p = &model->parameter[k];
        tensor[k] = (ebm_tensor){p->name, model->dtype, p->shape, place(model, p)};
    }
    if (!status) status = ebm_tensors_write_with(path, tensor, model->parameters, is.item, is.count, error);
    gibbs_release(&model->alloc, tensor);
    ebm_description_free(&is);
    return status;
}

/* The file has this parameter, as the model has it. */
static gibbs_status match(const ebm_model *model, const ebm_model_parameter *p, const ebm_tensors *file,
                          const char *path, gibbs_error *error)
{
    char theirs[AD_SHAPE_TEXT], ours[AD_SHAPE_TEXT];
    const ebm_tensor *t = ebm_tensors_find(file, p->name);
    for (int k = 0; !t && k < file->skipped_count; k++)
        if (!strcmp(file->skipped[k].key, p->name))
            return gibbs_fail(error, GIBBS_FORMAT, "%s: «%.60s» %s", path, p->name, file->skipped[k].value);
    if (!t) return gibbs_fail(error, GIBBS_FORMAT, "%s: there is no «%.60s»", path, p->name);
    if (t->dtype != model->dtype)
        return gibbs_fail(error, GIBBS_FORMAT, "%s: «%.60s» is %s, in the model it is %s", path, p->name,
                          ebm_dtype_names[t->dtype], ebm_dtype_names[model->dtype]);
    if (!ad_shape_equal(&t->shape, &p->shape))
        return gibbs_fail(error, GIBBS_FORMAT, "%s: «%.60s» has shape %s, in the model %s", path, p->name,
                          ad_shape_text(&t->shape, theirs, sizeof theirs), ad_shape_text(&p->shape, ours, sizeof ours));
    return GIBBS_OK;
}

static bool has_parameter(const ebm_model *model, const char *name)
{
    for (int k = 0; k < model->parameters; k++)
        if (!strcmp(model->parameter[k].name, name)) return true;
    return false;
}

static gibbs_status match_all(const ebm_model *model, const ebm_tensors *file, const char *path, gibbs_error *error)
{
    for (int k = 0; k < model->parameters; k++) {
        gibbs_status status = match(model, &model->parameter[k], file, path, error);
        if (status) return status;
    }
    if (file->skipped_count)
        return gibbs_fail(error, GIBBS_FORMAT, "%s: «%.60s» %s, and the model has no such", path, file->skipped[0].key,
                          file->skipped[0].value);
    for (int k = 0; k < file->count; k++)
        if (!has_parameter(model, file->tensor[k].name))
            return gibbs_fail(error, GIBBS_FORMAT, "%s: the model has no «%.60s»", path, file->tensor[k].name);
    return GIBBS_OK;
}

static gibbs_status take(ebm_model *model, const ebm_tensors *file, const char *path, gibbs_error *error)
{
    gibbs_status status = match_all(model, file, ebm_short_name(path), error);
    for (int k = 0; k < model->parameters && !status; k++) {
        const ebm_model_parameter *p = &model->parameter[k];
        const ebm_tensor *t = ebm_tensors_find(file, p->name);
        memcpy(place(model, p), t->data, (size_t)p->count * gibbs_dtype_size(model->dtype));
    }
    return status;
}

gibbs_status ebm_model_load(ebm_model *model, const char *path, gibbs_error *error)
{
    GIBBS_REQUIRE("load", model && path, error);
    ebm_tensors file;
    gibbs_status status = ebm_tensors_read(path, &model->alloc, &file, error);
    if (!status) status = take(model, &file, path, error);
    ebm_tensors_free(&file);
    return status;
}

static bool is_described(const ebm_tensors *file)
{
    for (int k = 0; k < file->metadata_count; k++)
        if (!strcmp(file->metadata[k].key, "energy")) return true;
    return false;
}

gibbs_status ebm_model_open(const char *path, const ebm_energy *const *own, const gibbs_allocator *allocator,
                            ebm_model **model, gibbs_error *error)
{
    GIBBS_REQUIRE("open", path && model, error);
    ebm_tensors file;
    *model = NULL;
    gibbs_status status = ebm_tensors_read(path, allocator, &file, error);
    if (status) return status;
    const char *name = ebm_short_name(path);
    if (!is_described(&file))
        status = gibbs_fail(error, GIBBS_FORMAT, "%s: it does not say what the model's energy is: that, or an "
                            "activation or features of it, had no name. Make the model as it was made, and "
                            "ebm_model_load it", name);
    else
        status = ebm_make_described(name, file.metadata, file.metadata_count, own, &file.allocator, model, error);
    if (!status) status = take(*model, &file, path, error);
    ebm_tensors_free(&file);
    if (!status) return GIBBS_OK;
    ebm_model_free(*model);
    *model = NULL;
    return status;
}
