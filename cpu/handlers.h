/*
 * The executors by number, from the rows of executors.def; and the table of their addresses for each model.
 */
#ifndef LK_CPU_HANDLERS_H
#define LK_CPU_HANDLERS_H

#include "cpu/insn.h"

enum handler {
    HANDLER_none,
#define SHAPE_ONE(name) HANDLER_##name,
#define SHAPE_SIZED(name) HANDLER_##name##8, HANDLER_##name##16, HANDLER_##name##32, HANDLER_##name##64,
#define SHAPE_COND(name)                                                                                     \
    HANDLER_##name##0, HANDLER_##name##1, HANDLER_##name##2, HANDLER_##name##3, HANDLER_##name##4,           \
        HANDLER_##name##5, HANDLER_##name##6, HANDLER_##name##7, HANDLER_##name##8, HANDLER_##name##9,       \
        HANDLER_##name##10, HANDLER_##name##11, HANDLER_##name##12, HANDLER_##name##13, HANDLER_##name##14,  \
        HANDLER_##name##15,
#define INTERNAL(name) HANDLER_##name,
#define EXECUTOR(name, shape) SHAPE_##shape(name)
#define BIND(op, form, name, shape)
#include "cpu/executors.def"
#undef EXECUTOR
#undef BIND
#undef INTERNAL
#undef SHAPE_ONE
#undef SHAPE_SIZED
#undef SHAPE_COND
    NR_HANDLERS,
};

extern exec_fn *const exec_handlers_functional[NR_HANDLERS];
extern exec_fn *const exec_handlers_inorder[NR_HANDLERS];
extern exec_fn *const exec_handlers_watched[NR_HANDLERS];

#endif
