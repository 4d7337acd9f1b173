/* A monitor's state, an index of published acts, and whole logs whose files are the input: whatever they are, nothing is
 * believed that the key did not sign, and what parses as a state is written back as the same bytes. The files are cut
 * out of the input in the order in which they are asked for, each behind two bytes of length. */
#include <stdlib.h>
#include <string.h>

#include "base/reader.h"
#include "log/monitor-internal.h"
#include "log/published.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool next_file(void *ctx, const char *path, size_t bytes_max, struct buf *out, struct err *e)
{
	struct reader *r = ctx;
	struct bytes file = reader_take(r, reader_u16(r));

	if (!reader_ok(r) || file.len > bytes_max)
		return err_set(e, ERR_NOT_FOUND, REASON_NOT_FOUND, "%s", path);
	buf_add(out, file);
	return buf_check(out, path, e);
}

/* The tree's own machinery, past the signature: whatever the files are, a root is believed only when they give it. */
static void read_as_tree(struct bytes in)
{
	struct reader r = reader_over(in);
	struct log_source s = { .ctx = &r, .fetch = next_file };
	struct monitor *m = monitor_new(&(struct monitor_options){ .progress = NULL });
	struct checkpoint c = { .origin = "xa.example/log", .size = reader_u32(&r) % 70000 };
	merkle_hash root;

	reader_copy(&r, c.root, sizeof(c.root));
	m->seen = c;
	if (view_open(&m->view, &s, &c, NULL)) {
		edge_root(&m->view.edge, root);
		if (memcmp(root, c.root, sizeof(root)) != 0)
			abort();
		if (monitor_hash(m, &s, NULL) && m->edge.size != c.size)
			abort();
	}
	monitor_free(m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = bytes_from(data, size);
	struct monitor_options o = { .log_key = { .name = "xa.example/log", .type = NOTE_ED25519 } };
	struct monitor *m = monitor_new(&o);
	struct reader r = reader_over(in);
	struct log_source s = { .ctx = &r, .fetch = next_file };
	AUTO_PUBLISHED *p = NULL;
	AUTO_BUF again = { 0 };

	buf_init(&again, MONITOR_STATE_BYTES_MAX);
	if (monitor_state_read(m, in, NULL) && size > 0) {
		monitor_state_write(m, &again);
		if (!bytes_equal(buf_bytes(&again), in))
			abort();
	}
	if (monitor_follow(m, &s, NULL)) /* nobody has a signature by this key */
		abort();
	monitor_free(m);
	if (published_parse(in, &p, NULL) && published_index(p).len != size)
		abort();
	read_as_tree(in);
	return 0;
}
