/* The trust root of the register: which keys, how many of them, may say what the register's own key and log
 * are (register/register.h judges the signatures). */
#include "statement/body.h"

#define ROOT_KEYS_MAX 16

static const struct member members[] = {
	M_TIME("expires", "valid until"),
	{ .name = "keys", .type = MEMBER_HASHES, .min = 1, .max = ROOT_KEYS_MAX, .words = "root key" },
	M_LINE_MUST("log", "key of the register's log"),
	M_LINE_MUST("origin", "log of the register"),
	M_HASH("register_key", "key that signs the register"),
	M_COUNT("threshold", 1, ROOT_KEYS_MAX, "root keys that must sign"),
	M_COUNT("version", 1, 1000000, "version"),
};
const struct shape register_root_shape = SHAPE(members);

bool register_root_parse(const json_t *body, struct err *e)
{
	const json_t *keys;

	if (!body_parse(body, &register_root_shape, e))
		return false;
	keys = json_object_get(body, "keys");
	if ((size_t)json_int(body, "threshold") > json_array_size(keys))
		return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "the threshold is above the number of keys");
	for (size_t i = 0; i < json_array_size(keys); i++)
		for (size_t j = 0; j < i; j++)
			if (json_equal(json_array_get(keys, i), json_array_get(keys, j)))
				return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "keys[%zu] is there twice", i);
	return true;
}

void register_root_check(const struct statement *s, const struct treaty *t, struct findings *f)
{
	int64_t expires;

	if (body_time(s->body, "expires", &expires) && expires <= s->time)
		finding_add(f, FINDING_STOP, "expires", "", REASON_BAD_FIELD,
			    "the root would be expired on the day it is made");
}

void register_root_print(const struct statement *s, int offset_minutes, struct buf *out)
{
	body_print(s->body, &register_root_shape, offset_minutes, out);
}
