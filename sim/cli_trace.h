#ifndef LK_SIM_CLI_TRACE_H
#define LK_SIM_CLI_TRACE_H

/*
 * `lookaside trace info F` and `lookaside trace cycles F`; argv[0] is "trace". Returns the exit status: 0, or
 * that of the first mistake, of which each has a line on stderr.
 */
int cli_trace(int argc, char **argv);

#endif
