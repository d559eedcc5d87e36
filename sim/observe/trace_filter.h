/* Which records of a trace are wanted, by what each says for itself; when it is written, or read. */
#ifndef LK_SIM_OBSERVE_TRACE_FILTER_H
#define LK_SIM_OBSERVE_TRACE_FILTER_H

#include "sim/base/diag.h"
#include "sim/observe/trace_record.h"

struct trace_filter {
    unsigned kinds;           /* a bit an enum trace_kind */
    struct laddr first, last; /* both belong to it */
};

struct trace_filter trace_filter_of_all(void);

/*
 * "instructions,exceptions"; "0xc0100000-0xc01fffff". False with a line of status EXIT_STATUS_USAGE that
 * begins with `where`, which names the option.
 */
bool trace_filter_parse_kinds(struct trace_filter *filter, const char *where, const char *text,
                              struct diag *diag);
bool trace_filter_parse_address(struct trace_filter *filter, const char *where, const char *text,
                                struct diag *diag);

/*
 * Of an address range are an instruction that lies there, an exception of one, and translations, accesses and
 * requests that go there or are made from there. Marks, control writes and lines of devices have no linear
 * address, and are of every range.
 */
bool trace_filter_takes(const struct trace_filter *filter, const struct trace_record *record);

#endif
