/* What writing and verifying a package must agree on: where things stand in it, and what follows from acts. */
#ifndef COMITY_EVIDENCE_PACKAGE_INTERNAL_H
#define COMITY_EVIDENCE_PACKAGE_INTERNAL_H

#include "base/limits.h"
#include "evidence/bagit.h"
#include "statement/statement.h"

#define PACKAGE_ACTS_MAX 9999u /* four digits */
#define PACKAGE_CUSTODY_PATH "meta/custody.jsonld"
#define PACKAGE_NAMES_PATH "meta/names.json"
#define PACKAGE_README_PATH "meta/README.txt"
#define PACKAGE_REGISTER_PATH "meta/register.json"

typedef char package_path[PACKAGE_PATH_BYTES_MAX + 1];

/* "data/<exhibit id>/<safe name>": letters, digits, dot, underscore and hyphen stay, everything else becomes
 * an underscore; over-long names are cut in the middle, so that the ending stays. */
void package_payload_path(struct bytes exhibit, struct bytes name, package_path ret);
/* "meta/acts/0001-order.json", "meta/acts/0001-order.counterproof.json"; number from 1. */
void package_act_path(size_t number, const char *kind, bool counterproof, package_path ret);
/* meta/names.json, from the exhibit statements of the list: {path in the package: name as received}. */
bool package_names(const struct statement *const *list, size_t n, struct buf *out, struct err *e) MUST_USE;

#endif
