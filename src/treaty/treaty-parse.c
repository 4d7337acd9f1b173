/* Reads a file of blocks: lines "key value", blocks parted by blank lines, comments from # on. It
 * promises that every complaint names file and line, that a block reaches its taker only with known
 * keys, each once (unless it may repeat), all that must be there, and a certainty that exists, and that no value
 * holds what a terminal could mistake. What the values mean is for treaty-rows.c. */
#include <stdarg.h>

#include "base/limits.h"
#include "base/reader.h"
#include "treaty/treaty-internal.h"

static const char *const certainties[] = { "TEXT", "TEXT-AR", "KNOWN+P", "KNOWN", "UNSURE", "POLICY" };

bool certainty_exists(const char *certainty)
{
	for (size_t i = 0; i < sizeof(certainties) / sizeof(certainties[0]); i++)
		if (strcmp(certainty, certainties[i]) == 0)
			return true;
	return false;
}

bool certainty_is_checked(const char *certainty)
{
	return strcmp(certainty, "TEXT") == 0 || strcmp(certainty, "TEXT-AR") == 0;
}

const struct block_line *block_line(const struct block *b, const char *key)
{
	for (size_t i = 0; i < b->count; i++)
		if (strcmp(b->lines[i].key, key) == 0)
			return &b->lines[i];
	return NULL;
}

const char *block_value(const struct block *b, const char *key)
{
	const struct block_line *line = block_line(b, key);

	return line == NULL ? "" : line->value;
}

bool block_wrong(const struct block *b, const char *key, enum reason reason, struct err *e, const char *format, ...)
{
	const struct block_line *line = key == NULL ? NULL : block_line(b, key);
	char text[ERR_TEXT_BYTES_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return err_set(e, ERR_INPUT, reason, "%s:%u: %s", b->file,
		       line == NULL ? b->lines[0].number : line->number, text);
}

static bool line_wrong(const struct block *b, unsigned number, enum reason reason, const char *text, struct err *e)
{
	return err_set(e, ERR_INPUT, reason, "%s:%u: %s", b->file, number, text);
}

/* What text_printable would change may not stand in a file that people read. */
static bool line_is_clean(struct bytes line)
{
	struct buf clean;
	bool ok;

	if (!utf8_is_valid(line))
		return false;
	buf_init(&clean, 4 * TREATY_LINE_BYTES_MAX);
	text_printable(line, &clean);
	ok = buf_ok(&clean) && bytes_equal(buf_bytes(&clean), line) && bytes_find(line, '\t') == line.len;
	buf_release(&clean);
	return ok;
}

static bool line_add(struct treaty *t, struct block *b, struct bytes line, unsigned number, struct err *e)
{
	struct bytes rest = line;
	struct bytes key = bytes_cut(&rest, ' ');
	struct block_line *to;

	if (key.len == 0 || rest.len == 0 || rest.at[0] == ' ' || rest.at[rest.len - 1] == ' ')
		return line_wrong(b, number, REASON_MALFORMED, "a line is: key, one space, value", e);
	if (b->count == BLOCK_LINES_MAX)
		return line_wrong(b, number, REASON_TOO_LARGE, "this block has too many lines", e);
	to = &b->lines[b->count];
	to->key = arena_text(t->arena, key);
	to->value = arena_text(t->arena, rest);
	to->number = number;
	if (to->key == NULL || to->value == NULL)
		return line_wrong(b, number, REASON_TOO_LARGE, "the treaty files are too large", e);
	b->count++;
	return true;
}

static const struct block_key *key_find(const struct block_type *type, const char *name)
{
	for (size_t i = 0; i < BLOCK_KEYS_MAX && type->keys[i].name != NULL; i++)
		if (strcmp(type->keys[i].name, name) == 0)
			return &type->keys[i];
	return NULL;
}

/* Known keys, once each, and all that must be there. */
static bool block_check(const struct block_type *type, const struct block *b, struct err *e)
{
	for (size_t i = 1; i < b->count; i++) {
		const struct block_line *line = &b->lines[i];
		const struct block_key *key = key_find(type, line->key);

		if (key == NULL && strcmp(line->key, "certainty") != 0)
			return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "%s:%u: unknown key '%.40s' in a block '%s'",
				       b->file, line->number, line->key, type->name);
		if ((key == NULL || !key->repeats) && block_line(b, line->key) != line)
			return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "%s:%u: the key '%s' stands twice in this block",
				       b->file, line->number, line->key);
	}
	for (size_t i = 0; i < BLOCK_KEYS_MAX && type->keys[i].name != NULL; i++)
		if (type->keys[i].must && block_line(b, type->keys[i].name) == NULL)
			return block_wrong(b, NULL, REASON_MISSING_FIELD, e, "the key '%s' is missing in this block",
					   type->keys[i].name);
	if (block_line(b, "certainty") == NULL)
		return block_wrong(b, NULL, REASON_MISSING_FIELD, e, "the key 'certainty' is missing in this block");
	if (!certainty_exists(block_value(b, "certainty")))
		return block_wrong(b, "certainty", REASON_BAD_FIELD, e,
				   "unknown certainty '%.40s': TEXT, TEXT-AR, KNOWN+P, KNOWN, UNSURE or POLICY",
				   block_value(b, "certainty"));
	return true;
}

static bool block_end(struct treaty *t, const struct treaty_file *file, struct block *b, struct err *e)
{
	if (b->count == 0)
		return true;
	for (size_t i = 0; i < BLOCK_TYPES_MAX && file->types[i].name != NULL; i++) {
		if (strcmp(file->types[i].name, b->lines[0].key) != 0)
			continue;
		if (!block_check(&file->types[i], b, e) || !file->types[i].take(t, b, e))
			return false;
		b->count = 0;
		return true;
	}
	return block_wrong(b, NULL, REASON_BAD_FIELD, e, "no block of this file begins with the key '%.40s'",
			   b->lines[0].key);
}

bool treaty_parse(struct treaty *t, const struct treaty_file *file, struct bytes in, struct err *e)
{
	struct reader r = reader_over(in);
	unsigned number = 0;
	char name[64];
	struct block b = { .file = name };

	snprintf(name, sizeof(name), "uncc/%s", file->name);
	while (reader_left(&r) > 0) {
		struct bytes line = reader_line(&r, TREATY_LINE_BYTES_MAX);

		number++;
		if (!reader_ok(&r))
			return line_wrong(&b, number, REASON_MALFORMED,
					  "this line is over 1000 bytes, or does not end with a line feed", e);
		if (!line_is_clean(line))
			return line_wrong(&b, number, REASON_MALFORMED,
					  "this line holds a control character or is not UTF-8", e);
		if (line.len > 0 && line.at[0] == '#')
			continue;
		if (line.len == 0 ? !block_end(t, file, &b, e) : !line_add(t, &b, line, number, e))
			return false;
	}
	return block_end(t, file, &b, e);
}
