/*
 * x87 and SSE registers of tasks. A task's are loaded when it uses them (the CPU tells by #NM, as CR0.TS is
 * set), and saved when another task runs after that; who uses none pays nothing.
 */
#pragma once

#include "sched.h"

/* Finds the FPU and turns on FXSAVE and SSE. */
void fpu_init(void);
/* #NM: the task uses its FPU. False: there is none. */
bool fpu_load(void);
/* The task stops running. */
void fpu_switch_out(struct task_struct *task);
/* The new task's copy of the running one's. */
void fpu_fork(struct task_struct *task);
/* A program starts: registers are as after a reset. */
void fpu_clear(struct fpu *fpu);
/* The running task's registers in memory, where they may be read and changed; NULL: it has used none. */
struct fpu *fpu_save(void);
bool fpu_has_fxsr(void);
/* The running task's registers in memory, even if it has used none so far; false: there is no FPU. */
bool fpu_prepare(void);
/* After exception 16, or 19 (is_simd), of the running task: FPE_ and what its registers say it was. */
int fpu_exception_code(bool is_simd);
/* Takes out of state that a program wrote what would be a fault when it is loaded. */
void fpu_sanitize(struct fpu *fpu);
