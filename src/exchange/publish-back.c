/* After a recovery: what the log had published since the backup. The store has lost those statements, so their files are
 * all that is left of them, and everybody may have read them: they are put back as they were, each verified as a stranger
 * verifies it and against our own tree as well. What does not verify stays where it is. */
#include "exchange/publish.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "log/openings.h"
#include "log/published.h"

struct back {
	struct node *n;
	struct log_source from;
	struct published *lines;
	uint64_t acts; /* put back */
};

static bool file_is_there(const struct back *b, const char *path)
{
	return faccessat(b->n->log_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* An act of ours whose proof is of the tree that we have. */
static bool act_verified(struct back *b, const struct published_line *l, struct act **ret)
{
	struct checkpoint proved;
	merkle_hash root;
	uint64_t index;
	AUTO_ACT *a = NULL;
	struct err no = { 0 };

	if (!published_act(&b->from, l, &b->n->identity.log, &a, &proved, &index, &no) ||
	    !bytes_is(bytes_of(a->statement->from), node_party(b->n)) || proved.size > log_size(b->n->log) ||
	    !log_root_at(b->n->log, proved.size, root, &no) || memcmp(root, proved.root, sizeof(root)) != 0)
		return false;
	*ret = a;
	a = NULL;
	return true;
}

/* The openings that this act names, as long as there are none of that quarter. */
static bool openings_back(struct back *b, const struct act *a, struct err *e)
{
	char period[PERIOD_TEXT_LEN + 1], path[32];
	uint8_t digest[SHA256_BYTES], said[SHA256_BYTES];
	int64_t from, until;
	struct err no;
	AUTO_BUF file = { 0 };

	bytes_text(json_bytes(a->statement->body, "period"), period, sizeof(period));
	snprintf(path, sizeof(path), "openings/%s", period);
	if (!period_parse(bytes_of(period), &from, &until) || !hex_parse(json_bytes(a->statement->body, "digest"), said, sizeof(said)) ||
	    file_is_there(b, path))
		return true;
	buf_init(&file, OPENINGS_BYTES_MAX);
	if (!b->from.fetch(b->from.ctx, path, OPENINGS_BYTES_MAX, &file, &no))
		return true;
	sha256(buf_bytes(&file), digest);
	return memcmp(digest, said, sizeof(digest)) != 0 ||
	       (dir_make(b->n->log_fd, "openings", 0755, e) && file_write(b->n->log_fd, path, buf_bytes(&file), 0644, true, e));
}

/* The newest first: of two openings of a quarter it is the later one that counts. *ret_lines: of those that are here now. */
static bool acts_back(struct back *b, struct buf *ret_lines, struct err *e)
{
	for (size_t i = published_count(b->lines); i-- > 0;) {
		const struct published_line *l = published_at(b->lines, i);
		char path[80], time[TIME_TEXT_LEN + 1];
		AUTO_ACT *a = NULL;

		if (!act_verified(b, l, &a))
			continue;
		published_path(l->hash, path);
		if (!file_is_there(b, path)) {
			if (!dir_make(b->n->log_fd, "acts", 0755, e) ||
			    !file_write(b->n->log_fd, path, buf_bytes(&a->json), 0644, true, e))
				return false;
			b->acts++;
		}
		if (bytes_is(bytes_of(l->kind), "class-openings") && !openings_back(b, a, e))
			return false;
		time_write(l->time, time);
		buf_add_format(ret_lines, "%s %s %s\n", path + strlen("acts/"), l->kind, time);
	}
	return true;
}

/* publish_proved puts the lines in order, and leaves each out once that the store knows too. */
static bool index_join(struct back *b, const struct buf *lines, struct err *e)
{
	struct err no;
	AUTO_BUF index = { 0 };

	buf_init(&index, 2 * PUBLISHED_INDEX_BYTES_MAX);
	if (lines->len == 0)
		return true;
	if (!file_read(b->n->log_fd, "acts/index", &index, &no))
		buf_clear(&index);
	buf_add(&index, buf_bytes(lines));
	return buf_check(&index, "acts/index", e) && file_write(b->n->log_fd, "acts/index", buf_bytes(&index), 0644, true, e);
}

bool publish_back(struct node *n, int aside_fd, uint64_t *ret_acts, struct err *e)
{
	struct back b = { .n = n, .from = log_source_folder(aside_fd) };
	struct err no;
	bool ok;
	AUTO_BUF lines = { 0 };

	*ret_acts = 0;
	if (!published_read(&b.from, &b.lines, &no))
		return true;
	buf_init(&lines, PUBLISHED_INDEX_BYTES_MAX);
	ok = acts_back(&b, &lines, e) && buf_check(&lines, "acts/index", e) && index_join(&b, &lines, e);
	published_free(b.lines);
	n->publish_done = false;
	*ret_acts = b.acts;
	return ok && publish_proved(n, e);
}
