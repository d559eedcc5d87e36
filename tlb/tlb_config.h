/* What the configuration says of each TLB. */
#ifndef LK_TLB_TLB_CONFIG_H
#define LK_TLB_TLB_CONFIG_H

#include "sim/base/config.h"
#include "tlb/tlb.h"

struct tlb_params tlb_l1i_params(const struct config *c);
struct tlb_params tlb_l1d_params(const struct config *c);
struct tlb_params tlb_l2_params(const struct config *c);

/* A paging-structure cache; false: the machine has none. */
bool tlb_structure_params(const struct config *c, enum tlb_structure which, struct tlb_params *params);

#endif
