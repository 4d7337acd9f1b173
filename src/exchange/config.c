/* Reads and writes comity.conf. The file is written by the operator, so every complaint says which
 * line and what would be right; a key given twice is an error, not "last one wins". */
#include "exchange/config.h"

#include <fcntl.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/num.h"
#include "base/text.h"

/* Of slots, leaves a slot and seconds: more is a slip. */
/* A day in milliseconds: the longest slot of a log that a register entry can state. */
#define SOME_MAX 86400000u

enum config_type { TEXT, COUNT, SOME, MINUTES, YES_NO, HASH, SANDBOX };

static const struct {
	const char *name;
	enum config_type type;
	const char *fallback;
	const char *words;
} table[CONFIG_KEY_COUNT] = {
#define CONFIG(name, type, fallback, words) [CONFIG_##name] = { #name, type, fallback, words },
#include "exchange/config.tbl.h"
};

const char *config_name(enum config_key key)
{
	return table[key].name;
}

const char *config_words(enum config_key key)
{
	return table[key].words;
}

const char *config_default(enum config_key key)
{
	return table[key].fallback;
}

bool config_find(struct bytes name, enum config_key *ret)
{
	for (size_t i = 0; i < CONFIG_KEY_COUNT; i++) {
		if (bytes_is(name, table[i].name)) {
			*ret = (enum config_key)i;
			return true;
		}
	}
	return false;
}

bool config_is_exercise(const struct config *c)
{
	return config_yes(c, CONFIG_exercise);
}

bool config_yes(const struct config *c, enum config_key key)
{
	return bytes_is(bytes_of(c->text[key]), "yes");
}

void config_log_origin(const struct config *c, char out[static CONFIG_ORIGIN_BYTES_MAX + 1])
{
	const char *own = config_text(c, log_origin);

	if (own[0] != '\0')
		snprintf(out, CONFIG_ORIGIN_BYTES_MAX + 1, "%.*s", CONFIG_ORIGIN_BYTES_MAX, own);
	else
		snprintf(out, CONFIG_ORIGIN_BYTES_MAX + 1, "comity/%.100s", config_text(c, party));
}

/* A number is kept as such; a word that a setting does not know stops the node rather than mean the default. */
static bool check_value(struct config *c, enum config_key key, const char *value, struct err *e)
{
	enum config_type type = table[key].type;
	struct bytes word = bytes_of(value);
	uint8_t hash[SHA256_BYTES];
	const char *wanted = NULL;

	switch (type) {
	case TEXT:
		break;
	case COUNT:
	case SOME:
	case MINUTES: {
		bool west = type == MINUTES && value[0] == '-';
		uint64_t v = 0, most = type == MINUTES ? 14 * 60 : type == SOME ? SOME_MAX : UINT32_MAX;
		if (!num_parse_u64(value + (west ? 1 : 0), most, &v) || (type == SOME && v == 0))
			wanted = type == MINUTES ? "a number of minutes from -840 to 840"
				 : type == SOME ? "a whole number from 1 to 86400000" : "a whole number from 0";
		c->count[key] = west ? -(int64_t)v : (int64_t)v;
		break;
	}
	case YES_NO:
		wanted = bytes_is(word, "yes") || bytes_is(word, "no") ? NULL : "yes or no";
		break;
	case HASH:
		wanted = word.len == 0 || hex_parse(word, hash, sizeof(hash)) ? NULL : "64 hex characters, or nothing";
		break;
	case SANDBOX:
		wanted = bytes_is(word, "required") || bytes_is(word, "warn") ? NULL : "required or warn";
		break;
	}
	return wanted == NULL || err_set(e, ERR_INPUT, REASON_BAD_FIELD, "%s: \"%s\" is not %s", table[key].name, value, wanted);
}

bool config_set(struct config *c, enum config_key key, const char *value, struct err *e)
{
	size_t len = strlen(value);

	if (len >= CONFIG_VALUE_BYTES_MAX)
		return err_set(e, ERR_LIMIT, REASON_TOO_LARGE, "%s: longer than %d bytes",
			       table[key].name, CONFIG_VALUE_BYTES_MAX - 1);
	if (!check_value(c, key, value, e))
		return false;
	memcpy(c->text[key], value, len + 1);
	return true;
}

void config_defaults(struct config *c)
{
	memset(c, 0, sizeof(*c));
	for (size_t i = 0; i < CONFIG_KEY_COUNT; i++) {
		if (!config_set(c, (enum config_key)i, table[i].fallback, NULL))
			abort(); /* the table itself is wrong: cannot happen in a build that was tested */
	}
}

static struct bytes trimmed(struct bytes in)
{
	while (in.len > 0 && (in.at[0] == ' ' || in.at[0] == '\t'))
		in = bytes_from(in.at + 1, in.len - 1);
	while (in.len > 0 && (in.at[in.len - 1] == ' ' || in.at[in.len - 1] == '\t' ||
			      in.at[in.len - 1] == '\r'))
		in.len--;
	return in;
}

static bool parse_line(struct bytes line, struct config *c, bool *seen, struct err *e)
{
	char value[CONFIG_VALUE_BYTES_MAX];
	enum config_key key;

	if (bytes_find(line, '=') == line.len)
		return err_set(e, ERR_INPUT, REASON_MALFORMED, "expected \"key = value\"");
	struct bytes name = trimmed(bytes_cut(&line, '='));
	struct bytes text = trimmed(line);
	if (!config_find(name, &key))
		return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "unknown setting \"%.*s\"", (int)name.len,
			       (const char *)name.at);
	if (seen[key])
		return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "%s is given twice", table[key].name);
	if (text.len >= sizeof(value))
		return err_set(e, ERR_LIMIT, REASON_TOO_LARGE, "%s is too long", table[key].name);
	memcpy(value, text.at, text.len);
	value[text.len] = '\0';
	seen[key] = true;
	return config_set(c, key, value, e);
}

bool config_parse(struct bytes in, struct config *ret, struct err *e)
{
	struct config c;
	bool seen[CONFIG_KEY_COUNT] = { false };
	unsigned number = 0;

	config_defaults(&c);
	while (in.len > 0) {
		struct bytes line = trimmed(bytes_cut(&in, '\n'));
		number++;
		if (line.len == 0 || line.at[0] == '#')
			continue;
		if (memchr(line.at, '\0', line.len) != NULL)
			return err_set(e, ERR_INPUT, REASON_MALFORMED, "comity.conf:%u: has a zero byte", number);
		if (!parse_line(line, &c, seen, e))
			return err_note(e, "comity.conf:%u", number);
	}
	*ret = c;
	return true;
}

bool config_load(int home_fd, struct config *ret, struct err *e)
{
	AUTO_BUF text = { 0 };

	buf_init(&text, 64 * KIB);
	if (!file_read(home_fd, "comity.conf", &text, e))
		return err_note(e, "this folder is no home (comity init makes one)");
	return config_parse(buf_bytes(&text), ret, e);
}

void config_write_some(const struct config *c, const enum config_key *keys, size_t count, struct buf *out)
{
	buf_add_text(out, "# Settings. Changes count from the next start.\n");
	for (size_t i = 0; i < count; i++)
		buf_add_format(out, "\n# %s\n%s = %s\n", table[keys[i]].words, table[keys[i]].name, c->text[keys[i]]);
}

void config_write(const struct config *c, struct buf *out)
{
	buf_add_text(out, "# Settings of this home. Changes count from the next start of comity serve.\n");
	for (size_t i = 0; i < CONFIG_KEY_COUNT; i++)
		buf_add_format(out, "\n# %s\n%s = %s\n", table[i].words, table[i].name, c->text[i]);
}
