/* Any bytes as any of the treaty files. The first byte chooses which: a multiple of 8 is an articles
 * file on empty ground, otherwise a small article, basis and request kind are there already, so that
 * references to them can hold. */
#include "treaty/treaty-internal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void show_all(const struct treaty *t)
{
	static const char *const lists[] = { "articles", "bases", "constants", "gate", "grounds", "offences" };
	struct buf out;

	buf_init(&out, 1u << 22);
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		if (!treaty_show(t, bytes_of(lists[i]), &out, NULL))
			abort();
	for (size_t i = 0; i < t->article_count; i++)
		if (!treaty_show(t, bytes_of(t->articles[i].number), &out, NULL))
			abort();
	buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char article[] = "article 42\ntitle t\ncertainty TEXT\nsummary s\n";
	static const char basis[] = "basis UNCC\nwords w\ncertainty POLICY\n";
	static const char request[] = "request preservation-request\nwords w\nclause 42\ncertainty TEXT\n";
	struct treaty *t;
	struct err e = { 0 };

	if (size < 1)
		return 0;
	t = treaty_new();
	if (data[0] % 8 != 0 && (!treaty_parse(t, &treaty_files[0], bytes_of(article), &e) ||
				 !treaty_parse(t, &treaty_files[1], bytes_of(basis), &e) ||
				 !treaty_parse(t, &treaty_files[2], bytes_of(request), &e)))
		abort();
	if (treaty_parse(t, &treaty_files[data[0] % 8 == 0 ? 0 : data[0] % 8 - 1], bytes_from(data + 1, size - 1), &e))
		show_all(t);
	else if (strncmp(e.text, "uncc/", 5) != 0)
		abort(); /* every complaint says where */
	treaty_free(t);
	return 0;
}
