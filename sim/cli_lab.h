#ifndef LK_SIM_CLI_LAB_H
#define LK_SIM_CLI_LAB_H

/*
 * `lookaside lab list` and `lookaside lab NAME [OPTION ...]`; argv[0] is "lab". Returns the exit status: 0,
 * or that of the first mistake, of which each has a line on stderr.
 */
int cli_lab(int argc, char **argv);

#endif
