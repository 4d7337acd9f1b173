/* Cross-log tags that somebody expects in a log: one leaf of form v1 has each of them. */
#ifndef COMITY_CLI_EXPECTED_H
#define COMITY_CLI_EXPECTED_H

#include "cli/args.h"

#define TAG_HEX_BYTES 64u

struct sought {
	char hex[TAG_HEX_BYTES];
	bool found;
};
struct expected {
	struct sought *tags; /* sorted */
	size_t count, found;
};
/* --expect and --expect-file. */
bool expected_read(const struct args *a, struct expected *ret, struct err *e) MUST_USE;
void expected_release(struct expected *x);
/* The tag that this leaf has, when it is found for the first time; else NULL. */
const struct sought *expected_look(struct expected *x, struct bytes leaf);

#endif
