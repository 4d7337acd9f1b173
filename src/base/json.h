/* JSON from outside and canonical JSON (JCS, RFC 8785) for what is signed. Parsing is jansson's,
 * strict: duplicates, bad UTF-8, trailing bytes and depth beyond JSON_DEPTH_MAX are refused. Signed
 * JSON holds objects, arrays, strings, booleans and integers within +-(2^53-1): null and floats are
 * refused, so canonical writing needs no number formatting. Values are jansson's (ownership by
 * json_decref, or AUTO_JSON). */
#ifndef COMITY_BASE_JSON_H
#define COMITY_BASE_JSON_H

#include <jansson.h>

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"

/* what names the thing in sentences. Errors say line and column. */
bool json_parse(struct bytes in, const char *what, json_t **ret, struct err *e) MUST_USE;
/* json_parse, and the bytes must be exactly what json_write_canonical writes. */
bool json_parse_canonical(struct bytes in, const char *what, json_t **ret, struct err *e) MUST_USE;
/* Appends the canonical form; buf failure on overflow, err on values that signed JSON may not hold. */
bool json_write_canonical(const json_t *v, struct buf *out, struct err *e) MUST_USE;
/* Indented, for people and --json; not canonical. */
bool json_write_pretty(const json_t *v, struct buf *out, struct err *e) MUST_USE;

/* Members. Missing or of another type: a zero value; the *_must forms fail with a sentence. */
struct bytes json_bytes(const json_t *object, const char *key);
const char *json_text(const json_t *object, const char *key); /* "" when missing */
int64_t json_int(const json_t *object, const char *key);
bool json_bool(const json_t *object, const char *key);
bool json_must_text(const json_t *object, const char *key, const char **ret, struct err *e) MUST_USE;
bool json_must_int(const json_t *object, const char *key, int64_t min, int64_t max, int64_t *ret,
		   struct err *e) MUST_USE;
bool json_must_hex(const json_t *object, const char *key, uint8_t *out, size_t len, struct err *e) MUST_USE;

/* Building: all abort the process when memory is gone. The value is taken. */
json_t *json_string_of(struct bytes utf8); /* NULL when not UTF-8 */
void json_put(json_t *object, const char *key, json_t *taken);
void json_put_text(json_t *object, const char *key, const char *text);
void json_put_bytes(json_t *object, const char *key, struct bytes utf8);
void json_put_int(json_t *object, const char *key, int64_t v);
void json_put_bool(json_t *object, const char *key, bool v);
void json_put_hex(json_t *object, const char *key, struct bytes in);
void json_put_time(json_t *object, const char *key, int64_t ms);

void json_free_at(json_t **v);
#define AUTO_JSON __attribute__((cleanup(json_free_at))) json_t

#endif
