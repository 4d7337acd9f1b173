/* One request with all that happened, for people. */
#ifndef COMITY_CLI_REQUEST_SHOW_H
#define COMITY_CLI_REQUEST_SHOW_H

#include "base/buf.h"
#include "base/json.h"

/* What request-show answered. */
void request_print(const json_t *v, struct buf *out);

#endif
