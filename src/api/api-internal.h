/* What the verbs' files share. */
#ifndef COMITY_API_API_INTERNAL_H
#define COMITY_API_API_INTERNAL_H

#include "api/api.h"
#include "treaty/finding.h"

#define VERB(name, code, words) bool verb_##name(struct api_call *c, struct err *e);
#include "api/verbs.tbl.h"

/* Members of the call that must be there. */
bool in_id(const struct api_call *c, const char *member, struct id *ret, struct err *e) MUST_USE;
bool in_hash(const struct api_call *c, const char *member, uint8_t ret[static SHA256_BYTES], struct err *e) MUST_USE;
bool in_text(const struct api_call *c, const char *member, struct bytes *ret, struct err *e) MUST_USE;

void put_id(json_t *object, const char *key, const struct id *id);
void put_hash(json_t *object, const char *key, const uint8_t hash[static SHA256_BYTES]);
void put_base64(json_t *object, const char *key, struct bytes in);
/* "" when the time is 0. */
void put_time(json_t *object, const char *key, int64_t ms);
void put_roles(json_t *object, const char *key, unsigned roles);
void put_findings(json_t *object, const struct findings *f);
/* The statement in words, for the reader's time zone. */
void put_statement_text(struct api_call *c, json_t *object, const struct statement *s);
int call_offset_minutes(const struct api_call *c);

/* Who is to be called when a letter does not arrive. */
const char *call_number(const struct node *n, const char *party);

#endif
