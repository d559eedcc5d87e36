/* `lookaside profile`: where the cycles of a run went. */
#ifndef LK_SIM_CLI_PROFILE_H
#define LK_SIM_CLI_PROFILE_H

/* argv[0] is "profile". Returns the exit status. */
int cli_profile(int argc, char **argv);

#endif
