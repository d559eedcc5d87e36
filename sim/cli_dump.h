#ifndef LK_SIM_CLI_DUMP_H
#define LK_SIM_CLI_DUMP_H

/*
 * `lookaside dump --elf-core FILE CHECKPOINT`; argv[0] is "dump". Returns the exit status: 0, or that of the
 * first mistake, of which each has a line on stderr.
 */
int cli_dump(int argc, char **argv);

#endif
