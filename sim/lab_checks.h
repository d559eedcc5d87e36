/* What of a lab only lookaside's own statistics can tell: `check` of rows in lab_rows.c. */
#ifndef LK_SIM_LAB_CHECKS_H
#define LK_SIM_LAB_CHECKS_H

#include "sim/lab.h"

/* lab_addressing.c */
void lab_check_hidden_part(struct lab_result *result);
void lab_check_privilege(struct lab_result *result);
void lab_check_walk(struct lab_result *result);
void lab_check_walk64(struct lab_result *result);
void lab_check_switch(struct lab_result *result);
void lab_check_pcid(struct lab_result *result);
void lab_check_address_spaces(struct lab_result *result);
void lab_check_kernel_memory(struct lab_result *result);

/* lab_kernel.c */
void lab_check_boot(struct lab_result *result);
void lab_check_oops(struct lab_result *result);
void lab_check_bug(struct lab_result *result);

/* lab_net.c */
void lab_check_zerocopy(struct lab_result *result);

/* lab_memory.c */
void lab_check_watermarks(struct lab_result *result);

#endif
