/* What json.c and json-canonical.c share. */
#ifndef COMITY_BASE_JSON_INTERNAL_H
#define COMITY_BASE_JSON_INTERNAL_H

#include "base/json.h"

/* I-JSON (RFC 7493): integers that every implementation can hold. */
#define JSON_INT_MAX INT64_C(9007199254740991)

/* Reads text that is canonical in every byte; NULL when it is not, whatever it is then. */
json_t *json_read_canonical(struct bytes in);
/* How many bytes from `from` on stand in a JSON string as they are. *ascii (may be NULL) becomes false at one
 * above 0x7f. */
size_t json_plain_run(struct bytes in, size_t from, bool *ascii);
/* RFC 8785 3.2.3; both NUL-terminated UTF-8. */
int json_key_compare(const char *a, const char *b);

#endif
