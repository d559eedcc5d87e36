#include "cpu/predict.h"

#include <string.h>

bool predict_btb_lift(const struct predictor *p, struct btb_entry *first, uint64_t from)
{
    struct btb_entry *rest = p->btb_rest + (size_t)(first - p->btb) * p->btb_rest_ways;
    unsigned at = 0;
    while (at + 1 < p->btb_rest_ways && rest[at].from != from)
        at++;
    struct btb_entry found = rest[at]; /* or the one that was used longest ago */
    memmove(rest + 1, rest, at * sizeof *rest);
    rest[0] = *first;
    *first = found;
    return found.from == from;
}
