/* A checkpoint says: this origin's tree has this size and this root. The name of the key that signs it
 * is the origin, so that a key serves one log; who follows a log of others where it is not says the origin. The cache holds only what verified, under the digest of
 * the whole note and the whole key; a line feed ends a note and no key holds one, so two different
 * pairs never have the same bytes. */
#include "log/checkpoint.h"

#include <stdlib.h>
#include <string.h>

#include "base/reader.h"

#define CACHE_ENTRIES 64u

static bool malformed(struct err *e, const char *what)
{
	return err_set(e, ERR_INPUT, REASON_MALFORMED, "checkpoint: %s", what);
}

bool checkpoint_origin_is_valid(struct bytes origin)
{
	if (origin.len == 0 || origin.len > CHECKPOINT_ORIGIN_BYTES_MAX || !utf8_is_valid(origin))
		return false;
	for (size_t i = 0; i < origin.len; i++)
		if (origin.at[i] < 0x20 || origin.at[i] == 0x7f)
			return false;
	return true;
}

bool checkpoint_parse(struct bytes text, struct checkpoint *ret, struct err *e)
{
	struct reader r = reader_over(text);
	struct checkpoint c = { .size = 0 };
	struct bytes origin, root;
	AUTO_BUF decoded = { 0 };

	buf_init(&decoded, SHA256_BYTES);
	origin = reader_line(&r, CHECKPOINT_ORIGIN_BYTES_MAX);
	if (!reader_ok(&r) || !checkpoint_origin_is_valid(origin))
		return malformed(e, "no valid origin");
	c.size = reader_decimal(&r);
	reader_literal(&r, "\n");
	if (!reader_ok(&r) || c.size > INT64_MAX)
		return malformed(e, "no valid size");
	root = reader_line(&r, NOTE_BYTES_MAX);
	if (!reader_ok(&r) || !base64_parse(root, true, &decoded) || decoded.len != SHA256_BYTES)
		return malformed(e, "the root is not base64 of 32 bytes");
	while (reader_ok(&r) && reader_left(&r) > 0)
		if (reader_line(&r, NOTE_BYTES_MAX).len == 0)
			return malformed(e, "an extension line is empty or does not end");
	if (!reader_done(&r, "checkpoint", e))
		return false;
	memcpy(c.origin, origin.at, origin.len);
	memcpy(c.root, decoded.at, SHA256_BYTES);
	*ret = c;
	return true;
}

void checkpoint_write(const struct checkpoint *c, struct buf *out)
{
	buf_add_format(out, "%s\n%llu\n", c->origin, (unsigned long long)c->size);
	base64_write(BYTES_ARRAY(c->root), true, out);
	buf_add_u8(out, '\n');
}

bool checkpoint_verify(struct bytes note, const struct note_key *log_key, struct checkpoint *ret, struct err *e)
{
	return checkpoint_verify_of(note, NULL, log_key, ret, e);
}

bool checkpoint_verify_of(struct bytes note, const char *origin, const struct note_key *log_key, struct checkpoint *ret, struct err *e)
{
	const char *log = origin == NULL ? log_key->name : origin;
	struct note n;
	struct checkpoint c;

	if (!note_parse(note, &n, e) || !checkpoint_parse(n.text, &c, e))
		return false;
	if (strcmp(c.origin, log) != 0)
		return err_set(e, ERR_REJECTED, REASON_UNKNOWN_KEY, "checkpoint: it is of %s, and not of %s", c.origin, log);
	if (!note_verify(&n, log_key, e))
		return err_note(e, "checkpoint");
	*ret = c;
	return true;
}

struct checkpoint_cache {
	struct {
		uint8_t of[SHA256_BYTES];
		struct checkpoint checkpoint;
	} entries[CACHE_ENTRIES];
	size_t count, next;
	struct {
		uint8_t of[SHA256_BYTES];
		struct checkpoint_verdict verdict;
	} verdicts[CACHE_ENTRIES];
	size_t verdict_count, verdict_next;
};

struct checkpoint_cache *checkpoint_cache_new(void)
{
	struct checkpoint_cache *c = calloc(1, sizeof(*c));

	if (c == NULL)
		abort();
	return c;
}

void checkpoint_cache_free(struct checkpoint_cache *c)
{
	free(c);
}

bool checkpoint_verify_cached(struct checkpoint_cache *c, struct bytes note, const struct note_key *log_key,
			      struct checkpoint *ret, struct err *e)
{
	uint8_t of[SHA256_BYTES];
	AUTO_BUF vkey = { 0 };

	buf_init(&vkey, NOTE_VKEY_BYTES_MAX);
	if (c == NULL)
		return checkpoint_verify(note, log_key, ret, e);
	note_key_write(log_key, &vkey);
	if (!buf_check(&vkey, "verifier key", e))
		return false;
	sha256_two(note, buf_bytes(&vkey), of);
	for (size_t i = 0; i < c->count; i++)
		if (memcmp(c->entries[i].of, of, sizeof(of)) == 0) {
			*ret = c->entries[i].checkpoint;
			return true;
		}
	if (!checkpoint_verify(note, log_key, ret, e))
		return false;
	memcpy(c->entries[c->next].of, of, sizeof(of));
	c->entries[c->next].checkpoint = *ret;
	c->next = (c->next + 1) % CACHE_ENTRIES;
	if (c->count < CACHE_ENTRIES)
		c->count++;
	return true;
}

bool checkpoint_cache_find(const struct checkpoint_cache *c, const uint8_t about[static SHA256_BYTES],
			   struct checkpoint_verdict *ret)
{
	for (size_t i = 0; c != NULL && i < c->verdict_count; i++)
		if (memcmp(c->verdicts[i].of, about, SHA256_BYTES) == 0) {
			*ret = c->verdicts[i].verdict;
			return true;
		}
	return false;
}

void checkpoint_cache_put(struct checkpoint_cache *c, const uint8_t about[static SHA256_BYTES], const struct checkpoint_verdict *v)
{
	if (c == NULL)
		return;
	memcpy(c->verdicts[c->verdict_next].of, about, SHA256_BYTES);
	c->verdicts[c->verdict_next].verdict = *v;
	c->verdict_next = (c->verdict_next + 1) % CACHE_ENTRIES;
	if (c->verdict_count < CACHE_ENTRIES)
		c->verdict_count++;
}
