/* What outsiders run against a log. The promise: whatever was seen once, signed, is held against everything seen later,
 * and nothing is reported as a contradiction that is not proved by two signatures of the log's own key and tiles that
 * hash to what was signed. Everything else (a wrong file, a server that is away) is said as what it is. */
#include <stdlib.h>
#include <string.h>

#include "base/reader.h"
#include "log/monitor-internal.h"

#define STATE_MAGIC "comity-monitor-state v1\n"
#define SHOWN_BY_BYTES_MAX 512u

struct monitor *monitor_new(const struct monitor_options *o)
{
	struct monitor *m = calloc(1, sizeof(*m));

	if (m == NULL)
		abort();
	m->o = *o;
	view_init(&m->view);
	buf_init(&m->note, NOTE_BYTES_MAX);
	buf_init(&m->ours, NOTE_BYTES_MAX);
	buf_init(&m->theirs, NOTE_BYTES_MAX);
	buf_init(&m->bundle, BUNDLE_BYTES_MAX);
	buf_init(&m->tile, TILE_BYTES);
	return m;
}

static void foreign_forget(struct monitor *m, size_t i)
{
	buf_release(&m->foreign[i].note);
	buf_release(&m->foreign[i].shown_by);
	m->foreign[i] = m->foreign[--m->foreign_count];
	memset(&m->foreign[m->foreign_count], 0, sizeof(m->foreign[0]));
}

static void forget_all(struct monitor *m)
{
	while (m->foreign_count > 0)
		foreign_forget(m, m->foreign_count - 1);
	memset(&m->seen, 0, sizeof(m->seen));
	m->edge.size = 0;
	buf_clear(&m->note);
}

void monitor_free(struct monitor *m)
{
	if (m == NULL)
		return;
	forget_all(m);
	view_release(&m->view);
	policy_verdict_release(&m->verdict);
	buf_release(&m->note);
	buf_release(&m->ours);
	buf_release(&m->theirs);
	buf_release(&m->bundle);
	buf_release(&m->tile);
	free(m);
}

const struct checkpoint *monitor_checkpoint(const struct monitor *m)
{
	return &m->seen;
}

struct bytes monitor_note(const struct monitor *m)
{
	return buf_bytes(&m->note);
}

uint64_t monitor_hashed(const struct monitor *m)
{
	return m->edge.size;
}

const struct policy_verdict *monitor_verdict(const struct monitor *m)
{
	return &m->verdict;
}

void monitor_evidence(const struct monitor *m, struct bytes *ret_ours, struct bytes *ret_theirs)
{
	*ret_ours = buf_bytes(&m->ours);
	*ret_theirs = buf_bytes(&m->theirs);
}

/* --- state ---------------------------------------------------------------------------------------- */

static bool foreign_add(struct monitor *m, const struct checkpoint *c, struct bytes note, struct bytes shown_by, struct err *e)
{
	struct foreign *f = &m->foreign[m->foreign_count];

	if (m->foreign_count == MONITOR_FOREIGN_MAX)
		return err_set(e, ERR_LIMIT, REASON_TOO_LARGE, "more than %u checkpoints of others wait to be compared", MONITOR_FOREIGN_MAX);
	f->checkpoint = *c;
	buf_init(&f->note, NOTE_BYTES_MAX);
	buf_init(&f->shown_by, SHOWN_BY_BYTES_MAX);
	buf_add(&f->note, note);
	buf_add(&f->shown_by, bytes_slice(shown_by, 0, SHOWN_BY_BYTES_MAX));
	m->foreign_count++;
	return true;
}

void monitor_state_write(const struct monitor *m, struct buf *out)
{
	uint8_t digest[SHA256_BYTES];
	size_t begin = out->len;
	AUTO_BUF edge = { 0 }, key = { 0 };

	buf_init(&edge, TILE_LEVELS * TILE_BYTES);
	buf_init(&key, KIB);
	note_key_write(&m->o.log_key, &key);
	edge_write(&m->edge, &edge);
	buf_add_text(out, STATE_MAGIC);
	buf_add_field(out, buf_bytes(&key));
	buf_add_field(out, buf_bytes(&m->note));
	buf_add_u64(out, m->edge.size);
	buf_add_field(out, buf_bytes(&edge));
	buf_add_u32(out, (uint32_t)m->foreign_count);
	for (size_t i = 0; i < m->foreign_count; i++) {
		buf_add_field(out, buf_bytes(&m->foreign[i].note));
		buf_add_field(out, buf_bytes(&m->foreign[i].shown_by));
	}
	sha256(bytes_slice(buf_bytes(out), begin, out->len), digest);
	buf_add(out, BYTES_ARRAY(digest));
}

static bool not_a_state(struct err *e, const char *what)
{
	return err_set(e, ERR_INPUT, REASON_MALFORMED, "the monitor's state: %s", what);
}

static bool note_of_log(const struct monitor *m, struct bytes note, struct checkpoint *ret, struct err *e)
{
	return checkpoint_verify_of(note, m->o.origin, &m->o.log_key, ret, e);
}

static bool state_foreign(struct monitor *m, struct reader *r, struct err *e)
{
	uint32_t count = reader_u32(r);

	for (uint32_t i = 0; i < count && reader_ok(r); i++) {
		struct bytes note = reader_field(r, NOTE_BYTES_MAX), by = reader_field(r, SHOWN_BY_BYTES_MAX);
		struct checkpoint c;

		if (!reader_ok(r))
			break;
		if (!note_of_log(m, note, &c, e) || !foreign_add(m, &c, note, by, e))
			return err_note(e, "the monitor's state");
	}
	return reader_done(r, "the monitor's state", e);
}

static bool state_take(struct monitor *m, struct bytes in, struct err *e)
{
	struct reader r = reader_over(in);
	struct bytes key, note, edge;
	uint64_t size;
	merkle_hash root;
	AUTO_BUF ours = { 0 };

	buf_init(&ours, KIB);
	note_key_write(&m->o.log_key, &ours);
	if (!reader_literal(&r, STATE_MAGIC))
		return not_a_state(e, "it is none, or of another version");
	key = reader_field(&r, KIB);
	note = reader_field(&r, NOTE_BYTES_MAX);
	size = reader_u64(&r);
	edge = reader_field(&r, TILE_LEVELS * TILE_BYTES);
	if (!reader_ok(&r))
		return not_a_state(e, "it is cut off");
	if (!bytes_equal(key, buf_bytes(&ours)))
		return err_set(e, ERR_REJECTED, REASON_UNKNOWN_KEY, "the monitor's state is of %.*s, not of %s", (int)key.len,
			       (const char *)key.at, buf_text(&ours));
	if (note.len > 0 && !note_of_log(m, note, &m->seen, e))
		return err_note(e, "the monitor's state");
	if (size > m->seen.size || !edge_read(size, edge, &m->edge, e))
		return not_a_state(e, "its right edge does not fit");
	buf_add(&m->note, note);
	edge_root(&m->edge, root);
	if (size == m->seen.size && note.len > 0 && memcmp(root, m->seen.root, SHA256_BYTES) != 0)
		return not_a_state(e, "its right edge is of another tree");
	return state_foreign(m, &r, e);
}

bool monitor_state_read(struct monitor *m, struct bytes state, struct err *e)
{
	uint8_t digest[SHA256_BYTES];

	forget_all(m);
	if (state.len == 0)
		return true;
	if (state.len < SHA256_BYTES)
		return not_a_state(e, "it is cut off");
	sha256(bytes_slice(state, 0, state.len - SHA256_BYTES), digest);
	if (!bytes_equal(BYTES_ARRAY(digest), bytes_slice(state, state.len - SHA256_BYTES, SHA256_BYTES)))
		return not_a_state(e, "it was changed or is cut off");
	if (state_take(m, bytes_slice(state, 0, state.len - SHA256_BYTES), e))
		return true;
	forget_all(m);
	return false;
}

void monitor_begin_again(struct monitor *m)
{
	m->edge.size = 0;
}

/* --- contradictions ------------------------------------------------------------------------------ */

static void keep_evidence(struct monitor *m, struct bytes theirs)
{
	buf_clear(&m->ours);
	buf_clear(&m->theirs);
	buf_add(&m->ours, buf_bytes(&m->note));
	buf_add(&m->theirs, theirs);
}

static bool split(struct monitor *m, const struct checkpoint *c, struct bytes note, const char *shown_by, struct err *e)
{
	keep_evidence(m, note);
	if (c->size == m->seen.size)
		return err_set(e, ERR_REJECTED, REASON_SPLIT_VIEW, "%s has signed two roots for %llu leaves; the other one by %s",
			       c->origin, (unsigned long long)c->size, shown_by);
	return err_set(e, ERR_REJECTED, REASON_SPLIT_VIEW,
		       "%s has signed two trees: that of %llu leaves and that of %llu do not extend each other; the other one by %s",
		       c->origin, (unsigned long long)m->seen.size, (unsigned long long)c->size, shown_by);
}

/* Of the tree that was seen; opened again only when the view is of another. */
static bool view_seen(struct monitor *m, const struct log_source *s, struct err *e)
{
	if (m->edge.size == m->seen.size) {
		view_over(&m->view, s, &m->edge);
		return true;
	}
	return view_open(&m->view, s, &m->seen, e);
}

/* An older checkpoint than was seen. Whether it is of the same tree is asked of the tiles, if they are still there. */
static bool rolled_back(struct monitor *m, const struct log_source *s, const struct checkpoint *c, struct bytes note, struct err *e)
{
	merkle_hash root;
	bool known = view_seen(m, s, NULL) && view_root_at(&m->view, c->size, root, NULL);

	if (known && memcmp(root, c->root, SHA256_BYTES) != 0)
		return split(m, c, note, "the log's own server", e);
	keep_evidence(m, note);
	return err_set(e, ERR_REJECTED, REASON_ROLLED_BACK, "%s serves a checkpoint of %llu leaves; one of %llu was seen before (%s)",
		       c->origin, (unsigned long long)c->size, (unsigned long long)m->seen.size,
		       known ? "of the same tree" : "whether of the same tree cannot be told");
}

/* --- following --------------------------------------------------------------------------------- */

static bool checkpoint_take(struct monitor *m, const struct log_source *s, const struct checkpoint *c, struct bytes note,
			    struct err *e)
{
	bool none = m->note.len == 0;
	merkle_hash root;

	if (!none && c->size < m->seen.size)
		return rolled_back(m, s, c, note, e);
	if (!none && c->size == m->seen.size && memcmp(c->root, m->seen.root, SHA256_BYTES) != 0)
		return split(m, c, note, "the log's own server", e);
	if ((none || c->size > m->seen.size || m->edge.size < c->size) && !view_open(&m->view, s, c, e))
		return false;
	if (!none && c->size > m->seen.size) {
		if (!view_root_at(&m->view, m->seen.size, root, e))
			return false;
		if (memcmp(root, m->seen.root, SHA256_BYTES) != 0)
			return split(m, c, note, "the log's own server", e);
	}
	m->seen = *c;
	buf_clear(&m->note);
	buf_add(&m->note, note);
	return true;
}

/* Those of others that the tree has reached. */
static bool foreign_check(struct monitor *m, const struct log_source *s, struct err *e)
{
	for (size_t i = m->foreign_count; i-- > 0;) {
		struct foreign *f = &m->foreign[i];
		merkle_hash root;

		if (f->checkpoint.size > m->seen.size)
			continue;
		view_over(&m->view, s, &m->edge);
		if (!view_root_at(&m->view, f->checkpoint.size, root, e))
			return false;
		if (memcmp(root, f->checkpoint.root, SHA256_BYTES) != 0)
			return split(m, &f->checkpoint, buf_bytes(&f->note), buf_text(&f->shown_by), e);
		foreign_forget(m, i);
	}
	return true;
}

static bool is_below(const char *name, const char *top)
{
	size_t len = strlen(top);

	return strncmp(name, top, len) == 0 && (name[len] == '\0' || name[len] == '/');
}

static bool own_party(void *ctx, const struct note_key *k)
{
	const struct monitor *m = ctx;

	return is_below(k->name, m->seen.origin) || is_below(k->name, m->o.log_key.name);
}

static bool witnessed(struct monitor *m, struct err *e)
{
	struct note n;

	policy_verdict_release(&m->verdict);
	memset(&m->verdict, 0, sizeof(m->verdict));
	if (m->o.policy == NULL)
		return true;
	if (!note_parse(buf_bytes(&m->note), &n, e) ||
	    !policy_evaluate(m->o.policy, &n, m->o.excluded != NULL ? m->o.excluded : own_party,
			     m->o.excluded != NULL ? m->o.ctx : m, &m->verdict, e))
		return err_note(e, "the checkpoint of %s", m->seen.origin);
	if (m->verdict.met)
		return true;
	return err_set(e, ERR_REJECTED, REASON_UNDER_WITNESSED, "%s: consistent, and %zu witness%s signed, which the policy does not accept%s%s",
		       m->seen.origin, m->verdict.witnesses, m->verdict.witnesses == 1 ? " has" : "es have", m->verdict.missing.len > 0 ? "; these have not: " : "", buf_text(&m->verdict.missing));
}

/* Signed by the key that was given, for another origin: C2SP lets a log's key have any name, and one key may serve two logs.
 * So it is nothing that contradicts the log, and nothing of it was seen. */
static bool is_our_log(const struct monitor *m, struct bytes note, struct err *e)
{
	const char *origin = m->o.origin == NULL ? m->o.log_key.name : m->o.origin;
	struct checkpoint c;
	struct note n;

	if (!note_parse(note, &n, NULL) || !checkpoint_parse(n.text, &c, NULL) || strcmp(c.origin, origin) == 0 ||
	    !note_verify(&n, &m->o.log_key, NULL))
		return true;
	return err_set(e, ERR_CONFLICT, REASON_BAD_ARGUMENT, "the key given has signed a checkpoint of the log \"%.120s\", and not of \"%.120s\": is that its origin?",
		       c.origin, origin);
}

bool monitor_follow(struct monitor *m, const struct log_source *s, struct err *e)
{
	struct checkpoint c;
	AUTO_BUF note = { 0 };

	buf_clear(&m->ours);
	buf_clear(&m->theirs);
	buf_init(&note, NOTE_BYTES_MAX);
	if (!s->fetch(s->ctx, "checkpoint", NOTE_BYTES_MAX, &note, e) || !is_our_log(m, buf_bytes(&note), e) ||
	    !note_of_log(m, buf_bytes(&note), &c, e))
		return false;
	return checkpoint_take(m, s, &c, buf_bytes(&note), e) && monitor_hash(m, s, e) && foreign_check(m, s, e) && witnessed(m, e);
}

bool monitor_compare(struct monitor *m, const struct log_source *s, struct bytes note, const char *shown_by, struct err *e)
{
	struct checkpoint c;
	merkle_hash root;

	buf_clear(&m->ours);
	buf_clear(&m->theirs);
	if (!note_of_log(m, note, &c, e))
		return err_note(e, "shown by %s", shown_by);
	if (m->note.len > 0 && c.size == m->seen.size)
		return memcmp(c.root, m->seen.root, SHA256_BYTES) == 0 || split(m, &c, note, shown_by, e);
	if (m->note.len > 0 && c.size < m->seen.size && s != NULL) {
		if (!view_seen(m, s, e) || !view_root_at(&m->view, c.size, root, e))
			return false;
		return memcmp(root, c.root, SHA256_BYTES) == 0 || split(m, &c, note, shown_by, e);
	}
	for (size_t i = 0; i < m->foreign_count; i++) {
		const struct foreign *f = &m->foreign[i];

		if (f->checkpoint.size != c.size)
			continue;
		if (memcmp(f->checkpoint.root, c.root, SHA256_BYTES) == 0)
			return true;
		keep_evidence(m, note);
		buf_clear(&m->ours);
		buf_add(&m->ours, buf_bytes(&f->note));
		return err_set(e, ERR_REJECTED, REASON_SPLIT_VIEW, "%s has signed two roots for %llu leaves, shown by %.*s and by %s", c.origin,
			       (unsigned long long)c.size, (int)f->shown_by.len, (const char *)f->shown_by.at, shown_by);
	}
	/* Of several by one witness the newest says most. */
	for (size_t i = m->foreign_count; i-- > 0;)
		if (bytes_is(buf_bytes(&m->foreign[i].shown_by), shown_by) && m->foreign[i].checkpoint.size < c.size)
			foreign_forget(m, i);
	return foreign_add(m, &c, note, bytes_of(shown_by), e);
}

struct audited {
	void (*progress)(void *ctx, uint64_t leaves, uint64_t size);
	void *ctx;
};

static bool audited(void *ctx, uint64_t done, uint64_t size)
{
	const struct audited *a = ctx;

	if (a->progress != NULL)
		a->progress(a->ctx, done, size);
	return true;
}

bool log_audit_files(int log_fd, const struct note_key *key, void (*progress)(void *ctx, uint64_t leaves, uint64_t size),
		     void *ctx, struct log_audit *ret, struct err *e)
{
	return log_audit_files_of(log_fd, NULL, key, progress, ctx, ret, e);
}

bool log_audit_files_of(int log_fd, const char *origin, const struct note_key *key, void (*progress)(void *ctx, uint64_t leaves, uint64_t size),
			void *ctx, struct log_audit *ret, struct err *e)
{
	struct audited a = { progress, ctx };
	struct monitor *m = monitor_new(&(struct monitor_options){ .log_key = *key, .origin = origin, .progress = audited, .ctx = &a });
	struct log_source s = log_source_folder(log_fd);
	bool ok = monitor_follow(m, &s, e);

	if (ok) {
		ret->checkpoint = m->seen;
		ret->leaves = m->edge.size;
	}
	monitor_free(m);
	return ok;
}
