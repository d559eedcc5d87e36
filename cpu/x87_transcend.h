/*
 * The functions of which processors give the last bit differently (SDM 1 8.3.10): here they are rounded
 * correctly, as the control word says, so that every host gives the same. MPFR does it. See x87_number.h for
 * the types.
 */
#ifndef LK_CPU_X87_TRANSCEND_H
#define LK_CPU_X87_TRANSCEND_H

#include "cpu/x87_number.h"

enum x87_trigonometric { X87_SINE, X87_COSINE, X87_TANGENT };

/* C2: the operand is 2^63 or more, and is the result. */
struct x87_outcome x87_trigonometric(enum x87_trigonometric function, uint16_t control, struct x87_number a);
/* The angle of (x, y). */
struct x87_outcome x87_arctangent(uint16_t control, struct x87_number y, struct x87_number x);
/* 2^a - 1 */
struct x87_outcome x87_exponential(uint16_t control, struct x87_number a);
/* y * log2(x), or y * log2(x + 1) */
struct x87_outcome x87_logarithm(uint16_t control, struct x87_number y, struct x87_number x);
struct x87_outcome x87_logarithm_plus_1(uint16_t control, struct x87_number y, struct x87_number x);

#endif
