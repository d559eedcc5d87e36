#ifndef LK_SIM_CLI_CONFIG_H
#define LK_SIM_CLI_CONFIG_H

/*
 * `lookaside config check|show|schema`; argv[0] is "config". Returns the exit status: 0, or that of the first
 * mistake, of which each has a line on stderr.
 */
int cli_config(int argc, char **argv);

#endif
