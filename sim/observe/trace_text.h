/* The words in which traces speak to people: parts of rows as short marks and as sentences. */
#ifndef LK_SIM_OBSERVE_TRACE_TEXT_H
#define LK_SIM_OBSERVE_TRACE_TEXT_H

#include "sim/observe/trace_rows.h"

/* Text that grows in a buffer of fixed size; what does not fit is cut and ends in '~'. */
struct trace_text {
    char *at;
    size_t room, length;
};
void trace_text_init(struct trace_text *text, char *buffer, size_t room);
void trace_text_add(struct trace_text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* "l1", "l2", "l3", "dram"; for messages. */
const char *trace_served_name(unsigned served_by);
/* "dram": a part of the CPI stack; "" for none. */
const char *trace_reason_name(unsigned reason);
/* "#PF", "int 32". */
void trace_vector_name(struct trace_text *text, const struct cpu_seen_exception *exception);

/* Whether a part is more than a hit; and that as a few characters, such as "dtlb walk". */
bool trace_part_is_notable(const struct trace_record *part);
void trace_part_mark(struct trace_text *text, const struct trace_record *part);
/* The first cycle of a part. */
cycle_t trace_part_cycle(const struct trace_record *part);

/* One part, whole: "dtlb miss, l2 tlb miss, walk of 51 cycles: [0] 00101c00 = 00102063 from dram, ...". */
void trace_part_sentence(struct trace_text *text, const struct trace_record *part);

#endif
