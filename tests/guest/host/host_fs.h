/* What unit tests of the page cache and of file systems on it share. */
#pragma once

#include "fs.h"

/*
 * From where on memory is no user's; and from where on it is only absent at the moment, until some of that is
 * touched while page faults may be served. NULL: nowhere.
 */
extern const char *host_bad_address, *host_absent_address;
