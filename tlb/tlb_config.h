/* What the configuration says of each TLB. */
#ifndef LK_TLB_TLB_CONFIG_H
#define LK_TLB_TLB_CONFIG_H

#include "sim/base/config.h"
#include "tlb/tlb.h"

struct tlb_params tlb_l1i_params(const struct config *c);
struct tlb_params tlb_l1d_params(const struct config *c);
struct tlb_params tlb_l2_params(const struct config *c);

#endif
