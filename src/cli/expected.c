/* Tags are looked up at their fixed place in a leaf: a leaf of form v1 has one spelling, so no parser is needed. */
#include "cli/expected.h"

#include "base/limits.h"
#include "base/text.h"
#include "cli/output.h"
#include "log/leaf.h"

#define TAG_AT 148u /* {"c":"<64>","k":"<64>","t":" */

static int tag_order(const void *a, const void *b)
{
	return memcmp(((const struct sought *)a)->hex, ((const struct sought *)b)->hex, TAG_HEX_BYTES);
}

const struct sought *expected_look(struct expected *x, struct bytes leaf)
{
	struct sought *t;

	if (leaf.len != LEAF_V1_BYTES || x->count == 0)
		return NULL;
	t = bsearch(leaf.at + TAG_AT, x->tags, x->count, sizeof(x->tags[0]), tag_order);
	if (t == NULL || t->found)
		return NULL;
	t->found = true;
	x->found++;
	return t;
}

void expected_release(struct expected *x)
{
	free(x->tags);
	*x = (struct expected){ 0 };
}

static bool tag_add(struct expected *x, struct bytes hex, struct err *e)
{
	uint8_t tag[SHA256_BYTES];

	if (!hex_parse(hex, tag, sizeof(tag)))
		return err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "a tag is 64 lower-case hex digits");
	if (x->count == EXPECTED_TAGS_MAX)
		return err_set(e, ERR_LIMIT, REASON_TOO_LARGE, "more than %u tags", EXPECTED_TAGS_MAX);
	x->tags = realloc(x->tags, (x->count + 1) * sizeof(x->tags[0]));
	if (x->tags == NULL)
		abort();
	x->tags[x->count] = (struct sought){ .found = false };
	memcpy(x->tags[x->count++].hex, hex.at, TAG_HEX_BYTES);
	return true;
}

bool expected_read(const struct args *a, struct expected *x, struct err *e)
{
	const char *path = args_value(a, "expect-file");
	AUTO_BUF in = { 0 };

	for (size_t i = 0; args_many(a, "expect", i) != NULL; i++)
		if (!tag_add(x, bytes_of(args_many(a, "expect", i)), e))
			return false;
	buf_init(&in, EXPECTED_TAGS_MAX * (TAG_HEX_BYTES + 1));
	if (path != NULL && !input_read(path, &in, e))
		return false;
	for (struct bytes rest = buf_bytes(&in); rest.len > 0;) {
		struct bytes line = bytes_cut(&rest, '\n');

		if (line.len > 0 && !tag_add(x, line, e))
			return err_note(e, "%s", path);
	}
	if (x->count > 0)
		qsort(x->tags, x->count, sizeof(x->tags[0]), tag_order);
	return true;
}
