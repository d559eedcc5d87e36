#include "tlb/tlb_config.h"

static struct tlb_params params_of(bool is_shared, struct tlb_array_params first,
                                   struct tlb_array_params large)
{
    first.pages = is_shared ? TLB_PAGE_4K | TLB_PAGES_LARGE : TLB_PAGE_4K;
    large.pages = TLB_PAGES_LARGE;
    return (struct tlb_params){is_shared ? 1 : 2, {first, large}};
}

#define ARRAY(c, name)                                                                                       \
    ((struct tlb_array_params){.nr_entries = (c)->tlb_##name##_entries,                                      \
                               .nr_ways = (c)->tlb_##name##_ways,                                            \
                               .replacement = (enum tlb_replacement)(c)->tlb_##name##_replacement,           \
                               .seed = (c)->tlb_random_seed})

struct tlb_params tlb_l1i_params(const struct config *c)
{
    return params_of(c->tlb_l1i_pages == CFG_TLB_SHARED, ARRAY(c, l1i), ARRAY(c, l1i_large));
}

struct tlb_params tlb_l1d_params(const struct config *c)
{
    return params_of(c->tlb_l1d_pages == CFG_TLB_SHARED, ARRAY(c, l1d), ARRAY(c, l1d_large));
}

struct tlb_params tlb_l2_params(const struct config *c)
{
    return params_of(c->tlb_l2_pages == CFG_TLB_SHARED, ARRAY(c, l2), ARRAY(c, l2_large));
}
