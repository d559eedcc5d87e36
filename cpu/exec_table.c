/* The executors of one model by number. */
#include "cpu/exec.h"
#include "cpu/handlers.h"

#define DECLARE(name) EXEC(name);
#define ENTRY(name) [HANDLER_##name] = EXEC_NAME(name),
#define SIZES(X, name) X(name##8) X(name##16) X(name##32) X(name##64)
/* The formatter never agrees with itself on this one. */
/* clang-format off */
#define CONDITIONS(X, name)                                                                                  \
    X(name##0) X(name##1) X(name##2) X(name##3) X(name##4) X(name##5) X(name##6) X(name##7)                  \
    X(name##8) X(name##9) X(name##10) X(name##11) X(name##12) X(name##13) X(name##14) X(name##15)
/* clang-format on */
#define BIND(op, form, name, shape)

#define SHAPE_ONE(name) DECLARE(name)
#define SHAPE_SIZED(name) SIZES(DECLARE, name)
#define SHAPE_COND(name) CONDITIONS(DECLARE, name)
#define INTERNAL(name) DECLARE(name)
#define EXECUTOR(name, shape) SHAPE_##shape(name)
#include "cpu/executors.def"
#undef SHAPE_ONE
#undef SHAPE_SIZED
#undef SHAPE_COND
#undef INTERNAL

#define SHAPE_ONE(name) ENTRY(name)
#define SHAPE_SIZED(name) SIZES(ENTRY, name)
#define SHAPE_COND(name) CONDITIONS(ENTRY, name)
#define INTERNAL(name) ENTRY(name)

#define TABLE2(suffix) exec_handlers_##suffix
#define TABLE(suffix) TABLE2(suffix)

exec_fn *const TABLE(EXEC_SUFFIX)[NR_HANDLERS] = {
#include "cpu/executors.def"
};
