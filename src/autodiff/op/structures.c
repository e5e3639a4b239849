/* structures.c — the table of structural ops, from ops.def. */
#include "op.h"

const ad_structure *const ad_structures[OP_COUNT] = {
#define STRUCTURAL(name, arguments, smooth) [OP_##name] = &ad_structure_##name,
#define BATCH(name, arguments, smooth) [OP_##name] = &ad_structure_##name,
#include "autodiff/tape/ops.def"
};
