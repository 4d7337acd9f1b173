/* Settings of one home, read from HOME/comity.conf: lines `key = value`, `#` comments. The table
 * config.tbl.h is the one list of keys; manual page and `comity init` are made from it. */
#ifndef COMITY_EXCHANGE_CONFIG_H
#define COMITY_EXCHANGE_CONFIG_H

#include "base/buf.h"
#include "base/bytes.h"
#include "base/err.h"

#define CONFIG_VALUE_BYTES_MAX 512

enum config_key {
#define CONFIG(name, type, fallback, words) CONFIG_##name,
#include "exchange/config.tbl.h"
	CONFIG_KEY_COUNT
};

struct config {
	char text[CONFIG_KEY_COUNT][CONFIG_VALUE_BYTES_MAX];
	int64_t count[CONFIG_KEY_COUNT]; /* only of COUNT keys */
};

void config_defaults(struct config *c);
/* Errors name the line: "comity.conf:7: ...". */
bool config_parse(struct bytes in, struct config *ret, struct err *e) MUST_USE;
bool config_load(int home_fd, struct config *ret, struct err *e) MUST_USE;
bool config_set(struct config *c, enum config_key key, const char *value, struct err *e) MUST_USE;
/* With every key's words as a comment: what `comity init` leaves for the operator to edit. */
void config_write(const struct config *c, struct buf *out);
/* Only these keys: for a witness alone, which has few settings. */
void config_write_some(const struct config *c, const enum config_key *keys, size_t count, struct buf *out);

bool config_find(struct bytes name, enum config_key *ret);
const char *config_name(enum config_key key);
const char *config_words(enum config_key key);
const char *config_default(enum config_key key);

#define config_text(c, key) ((c)->text[CONFIG_##key])
#define config_count(c, key) ((c)->count[CONFIG_##key])
bool config_is_exercise(const struct config *c);
bool config_yes(const struct config *c, enum config_key key);
/* Name of this home's log. */
#define CONFIG_ORIGIN_BYTES_MAX 200
void config_log_origin(const struct config *c, char out[static CONFIG_ORIGIN_BYTES_MAX + 1]);

#endif
