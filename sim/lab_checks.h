/* What of a lab only lookaside's own statistics can tell: `check` of rows in lab_rows.c. */
#ifndef LK_SIM_LAB_CHECKS_H
#define LK_SIM_LAB_CHECKS_H

#include "sim/lab.h"

/* lab_addressing.c */
void lab_check_hidden_part(struct lab_result *result);
void lab_check_privilege(struct lab_result *result);

#endif
