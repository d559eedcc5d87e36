#ifndef LK_SIM_CLI_RUN_H
#define LK_SIM_CLI_RUN_H
/*
 * `lookaside run`; argv[0] is "run". Runs a guest to its end, writes its statistics, and returns the exit
 * status as docs/cli.md lists it.
 */
int cli_run(int argc, char **argv);
#endif
