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

bool tlb_structure_params(const struct config *c, enum tlb_structure which, struct tlb_params *params)
{
    static const unsigned spans[NR_TLB_STRUCTURES] = {[TLB_PDE] = TLB_PAGE_2M | TLB_PAGE_4M,
                                                      [TLB_PDPTE] = TLB_PAGE_1G,
                                                      [TLB_PML4E] = TLB_SPAN_512G,
                                                      [TLB_PML5E] = TLB_SPAN_256T};
    const struct tlb_array_params arrays[NR_TLB_STRUCTURES] = {[TLB_PDE] = ARRAY(c, pde),
                                                               [TLB_PDPTE] = ARRAY(c, pdpte),
                                                               [TLB_PML4E] = ARRAY(c, pml4e),
                                                               [TLB_PML5E] = ARRAY(c, pml5e)};
    *params = (struct tlb_params){1, {arrays[which]}};
    params->array[0].pages = spans[which];
    return params->array[0].nr_entries > 0;
}
