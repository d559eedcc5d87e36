/*
 * What makes a case of a form worth running: registers and memory that the instruction can use, branches that
 * arrive, stacks that lie in the data; and what of its result the manual leaves open.
 */
#ifndef LK_TESTS_ORACLE_HOST_VALUES_H
#define LK_TESTS_ORACLE_HOST_VALUES_H

#include "tests/oracle/host_forms.h"

/*
 * On top of host_case_init, whose windows lie around the two offsets. False: the choices do not fit, begin
 * anew.
 */
bool host_fill_in(struct host_case *c, struct host_random *r, const struct host_forms *forms,
                  const struct host_form *form, const uint32_t offsets[2],
                  const uint8_t data[HOST_DATA_BYTES]);

#endif
