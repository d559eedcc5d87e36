/*
 * A trace in the formats of other programs (docs/trace.md says what of it goes where). All go through the
 * trace once, from cycle `from` to cycle `to`, and write as they go. False with a line in `diag`.
 */
#ifndef LK_SIM_OBSERVE_TRACE_EXPORT_H
#define LK_SIM_OBSERVE_TRACE_EXPORT_H

#include "sim/observe/trace_show.h"

/* For Konata, the viewer of pipelines: the Kanata log format, version 0004. */
bool trace_export_konata(const struct trace_show *show, struct diag *diag);

/* What a browser can still show. */
enum { TRACE_PERFETTO_MAX_BYTES = 100000000 };

/*
 * For Perfetto's viewer and chrome://tracing: Trace Event Format, JSON. A microsecond there is a cycle here.
 * *stopped_at is the cycle at which it grew too large and ends, or 0.
 */
bool trace_export_perfetto(const struct trace_show *show, cycle_t *stopped_at, struct diag *diag);

/* For viewers of waveforms: value change dump (IEEE 1364, 18.2). A nanosecond there is a cycle here. */
bool trace_export_vcd(const struct trace_show *show, struct diag *diag);

/* A line an instruction or exception, with what it missed (RFC 4180, but with LF). */
bool trace_export_csv(const struct trace_show *show, struct diag *diag);

#endif
