/* The signer's decisions. Nothing here trusts the keeper: the statement is parsed and written again by
 * the statement chapter, the approvals are verified against people whom this process knows from the
 * register that it verified itself, and a checkpoint is signed only as a proved extension of the last
 * one, after that is durable in a cell of its own (crypto.md 3.8, points 4 and 5). */
#include "exchange/signing.h"

#include <unistd.h>

#include "base/clock.h"
#include "base/crash.h"
#include "base/reader.h"
#include "exchange/approvers.h"
#include "register/judge.h"
#include "statement/act.h"

/* The cell has two places that are written in turn, so that a torn write leaves the other one whole. */
#define CELL_BYTES 512u
/* A statement's own time may run ahead of our clock by this much. */
#define CLOCK_SLACK_MS 60000

struct signing {
	const struct config *config;
	struct sign_key *sign_key, *log_key;
	struct seal_identity *identity;
	struct approvers own;           /* of HOME/approvers */
	struct register_ *reg;          /* NULL without a trust root, or while none has been verified */
	char origin[CHECKPOINT_ORIGIN_BYTES_MAX + 1];
	int cell_fd;
	uint64_t cell_seq;
	struct checkpoint last;
	bool locked;
};

/* --- the cell ---------------------------------------------------------------------------------- */

static bool cell_parse(struct bytes in, uint64_t *ret_seq, struct checkpoint *ret)
{
	struct reader r = reader_over(in);
	uint8_t digest[SHA256_BYTES], expected[SHA256_BYTES];
	struct checkpoint c = { 0 };
	uint64_t seq = reader_u64(&r);
	struct bytes origin;

	c.size = reader_u64(&r);
	reader_copy(&r, c.root, sizeof(c.root));
	origin = reader_field(&r, sizeof(c.origin) - 1);
	size_t used = r.pos;
	reader_copy(&r, digest, sizeof(digest));
	if (!reader_ok(&r))
		return false;
	sha256(bytes_slice(in, 0, used), expected);
	if (!constant_time_equal(BYTES_ARRAY(digest), BYTES_ARRAY(expected)))
		return false;
	memcpy(c.origin, origin.at, origin.len);
	*ret = c;
	*ret_seq = seq;
	return true;
}

/* The newer of the two places; *ret_seq stays 0 when nothing was ever written. */
static bool cell_newest(int fd, uint64_t *ret_seq, struct checkpoint *ret, struct err *e)
{
	uint8_t both[2 * CELL_BYTES] = { 0 };
	ssize_t got = pread(fd, both, sizeof(both), 0);
	struct checkpoint c;
	uint64_t seq;

	if (got < 0)
		return err_system(e, "cannot read the cell of the last checkpoint");
	for (size_t i = 0; i < 2; i++) {
		if (cell_parse(bytes_from(both + i * CELL_BYTES, CELL_BYTES), &seq, &c) && seq > *ret_seq) {
			*ret_seq = seq;
			*ret = c;
		}
	}
	return *ret_seq > 0 || got == 0 ||
	       err_set(e, ERR_SYSTEM, REASON_INCONSISTENT, "keys/checkpoint holds no valid checkpoint: this log must not be signed any more");
}

bool signing_cell(int fd, struct checkpoint *ret, struct err *e)
{
	struct checkpoint c = { 0 };
	uint64_t seq = 0;

	merkle_empty(c.root);
	if (!cell_newest(fd, &seq, &c, e))
		return false;
	*ret = c;
	return true;
}

static bool cell_read(struct signing *s, struct err *e)
{
	if (!cell_newest(s->cell_fd, &s->cell_seq, &s->last, e))
		return false;
	if (s->cell_seq > 0 && !bytes_is(bytes_of(s->last.origin), s->origin))
		return err_set(e, ERR_CONFLICT, REASON_INCONSISTENT, "keys/checkpoint is of the log %s, not %s",
			       s->last.origin, s->origin);
	return true;
}

static bool cell_write(struct signing *s, const struct checkpoint *c, struct err *e)
{
	uint8_t digest[SHA256_BYTES];
	AUTO_BUF b = { 0 };

	buf_init(&b, CELL_BYTES);
	buf_add_u64(&b, s->cell_seq + 1);
	buf_add_u64(&b, c->size);
	buf_add(&b, BYTES_ARRAY(c->root));
	buf_add_field(&b, bytes_of(c->origin));
	sha256(buf_bytes(&b), digest);
	buf_add(&b, BYTES_ARRAY(digest));
	if (!buf_check(&b, "cell of the last checkpoint", e))
		return false;
	crash_point("cell-write");
	off_t at = (off_t)((s->cell_seq + 1) % 2 * CELL_BYTES);
	if (pwrite(s->cell_fd, b.at, b.len, at) != (ssize_t)b.len || fdatasync(s->cell_fd) != 0)
		return err_system(e, "cannot write the cell of the last checkpoint");
	crash_point("cell-written");
	s->cell_seq++;
	s->last = *c;
	return true;
}

/* --- life -------------------------------------------------------------------------------------- */

bool signing_new(const struct signing_options *o, struct signing **ret, struct err *e)
{
	struct signing *s = calloc(1, sizeof(*s));

	if (s == NULL)
		abort();
	s->config = o->config;
	s->sign_key = o->sign_key;
	s->log_key = o->log_key;
	s->identity = o->identity;
	s->cell_fd = o->checkpoint_fd;
	s->locked = o->restored;
	config_log_origin(o->config, s->origin);
	merkle_empty(s->last.root);
	if (!approvers_parse(o->approvers, &s->own, e) || !cell_read(s, e)) {
		s->sign_key = s->log_key = NULL; /* not taken: the caller still owns them */
		s->identity = NULL;
		signing_free(s);
		return false;
	}
	*ret = s;
	return true;
}

void signing_free(struct signing *s)
{
	if (s == NULL)
		return;
	sign_key_free(s->sign_key);
	sign_key_free(s->log_key);
	seal_identity_free(s->identity);
	register_free(s->reg);
	free(s);
}

bool signing_trust(struct signing *s, struct bytes bundle, struct err *e)
{
	uint8_t root[SHA256_BYTES];
	struct register_ *r;

	if (!hex_parse(bytes_of(config_text(s->config, trust_root)), root, sizeof(root)))
		return err_set(e, ERR_CONFLICT, REASON_ROOT_MISMATCH, "this home has no trust root in comity.conf");
	r = register_new();
	if (!register_load(r, bundle, root, clock_now_ms(), NULL, e)) {
		register_free(r);
		return false;
	}
	/* The first one since the start was taken by the node before: nobody publishes anew for who starts again. */
	if (!register_newer(r, s->reg, e) || (s->reg != NULL && !register_witnessed(r, s->reg, clock_now_ms(), e))) {
		register_free(r);
		return false;
	}
	register_free(s->reg);
	s->reg = r;
	return true;
}

/* --- statements -------------------------------------------------------------------------------- */

/* Whom both name, in the roles that both give. */
static void approvers_of_both(const struct party *entry, const struct approvers *own, struct party *ret)
{
	for (size_t i = 0; i < own->count; i++) {
		const struct register_approver *a = &own->at[i], *b = party_approver(entry, bytes_of(a->name));

		if (b == NULL || (a->roles & b->roles) == 0 || !constant_time_equal(BYTES_ARRAY(a->key), BYTES_ARRAY(b->key)))
			continue;
		ret->approvers[ret->approver_count] = *a;
		ret->approvers[ret->approver_count++].roles = a->roles & b->roles;
	}
}

/* Who may approve for us: whom HOME/approvers and our entry of the verified register name, both: the secretariat
 * signs the entry and could name anybody in it, and the file lies on a disk of this house. Without a trust root
 * the file alone. */
static bool approving_party(const struct signing *s, struct party *ret, struct err *e)
{
	const char *code = config_text(s->config, party);
	const struct party *entry;

	memset(ret, 0, sizeof(*ret));
	ret->code = code;
	ret->name = config_text(s->config, name);
	if (config_text(s->config, trust_root)[0] == '\0') {
		memcpy(ret->approvers, s->own.at, s->own.count * sizeof(s->own.at[0]));
		ret->approver_count = s->own.count;
		return true;
	}
	entry = s->reg != NULL ? register_party(s->reg, bytes_of(code)) : NULL;
	if (entry == NULL)
		return err_set(e, ERR_UNAVAILABLE, REASON_BAD_REGISTER,
			       "the register that names who may approve for %s has not been verified yet", code);
	if (clock_now_ms() - register_time(s->reg) > REGISTER_STALE_MS)
		return err_set(e, ERR_UNAVAILABLE, REASON_STALE_REGISTER,
			       "the register that names who may approve for %s is older than 30 days", code);
	approvers_of_both(entry, &s->own, ret);
	return true;
}

static bool check_approvals(const struct party *p, const struct bytes *envelopes, size_t n,
			    const struct statement *st, unsigned needed, struct err *e)
{
	struct approval approvals[ACT_APPROVALS_MAX] = { 0 };
	size_t parsed = 0;
	bool ok = n <= ACT_APPROVALS_MAX ||
		  err_set(e, ERR_LIMIT, REASON_TOO_LARGE, "more than %u approvals", ACT_APPROVALS_MAX);

	while (ok && parsed < n) {
		ok = approval_parse(envelopes[parsed], &approvals[parsed], e);
		parsed += ok;
	}
	ok = ok && (judge_approvals(approvals, n, st->hash, needed, p, st->body, clock_now_ms(), e) ||
		    err_note(e, "people whom the register and HOME/approvers both name"));
	for (size_t i = 0; i < parsed; i++)
		approval_release(&approvals[i]);
	return ok;
}

/* An order to disclose to this party on this request, which has not expired. */
static bool orders_disclosure(const struct statement *order, const struct statement *exhibit)
{
	int64_t expires;

	return bytes_is(bytes_of(order->kind->name), "order") && strcmp(order->from, exhibit->from) == 0 &&
	       strcmp(order->to, exhibit->to) == 0 && bytes_is(json_bytes(order->body, "measure"), "disclose") &&
	       bytes_equal(json_bytes(order->body, "request"), json_bytes(exhibit->body, "request")) &&
	       time_parse(json_bytes(order->body, "expires"), &expires) && expires > clock_now_ms();
}

/* Evidence leaves only with a disclosure order for the same request that the court approved (24(2), 24(4)). */
static bool check_disclosure_order(const struct signing *s, const struct party *p, const struct statement *exhibit,
				   const struct signing_item *item, struct err *e)
{
	const char *wanted = json_text(exhibit->body, "order");

	for (size_t i = 0; i < item->support_count; i++) {
		struct act *a;
		uint8_t hash[SHA256_BYTES];
		if (!act_parse(item->support[i], &a, e))
			return err_note(e, "supporting act");
		bool is = hex_parse(bytes_of(wanted), hash, sizeof(hash)) &&
			  memcmp(hash, a->statement->hash, sizeof(hash)) == 0 &&
			  orders_disclosure(a->statement, exhibit) && envelope_signed_by(&a->envelope, sign_key_public(s->sign_key)) &&
			  judge_approvals(a->approvals, a->approval_count, a->statement->hash, 1u << APPROVAL_COURT, p,
					  a->statement->body, clock_now_ms(), e);
		act_free(a);
		if (is)
			return true;
	}
	return err_set(e, ERR_REJECTED, REASON_NO_DISCLOSURE_ORDER,
		       "evidence may leave only with a disclosure order for this request and party, approved by the court and not "
		       "expired (24(2), 24(4))");
}

bool signing_statement(struct signing *s, const struct signing_item *item, uint8_t ret_signature[static 64],
		       struct err *e)
{
	const struct kind *kind = kind_find(item->kind);
	AUTO_STATEMENT *st = NULL;
	struct party *p;
	bool ok = true;

	if (kind == NULL || bytes_is(item->kind, "register-root"))
		return err_set(e, ERR_INPUT, REASON_UNKNOWN_KIND, "the signer signs no \"%.*s\"", (int)item->kind.len,
			       (const char *)item->kind.at);
	if (!statement_parse(statement_type(kind), item->payload, &st, e))
		return false;
	if (!bytes_is(bytes_of(st->from), config_text(s->config, party)))
		return err_set(e, ERR_REJECTED, REASON_WRONG_PARTY, "this home signs for %s, not for %s",
			       config_text(s->config, party), st->from);
	if (st->exercise != config_is_exercise(s->config))
		return err_set(e, ERR_REJECTED, st->exercise ? REASON_EXERCISE_IN_LIVE : REASON_LIVE_IN_EXERCISE,
			       "this home signs %s statements only", st->exercise ? "live" : "exercise");
	if (st->time > clock_now_ms() + CLOCK_SLACK_MS)
		return err_set(e, ERR_REJECTED, REASON_CLOCK_OFF, "the statement is dated in the future");
	if (s->locked)
		return err_set(e, ERR_CONFLICT, REASON_LOCKED, "signing is locked after a restore: comity log recover");
	unsigned needed = kind_approvals(kind, st->body);
	if (needed != 0) {
		p = calloc(1, sizeof(*p));
		if (p == NULL)
			abort();
		ok = approving_party(s, p, e) &&
		     check_approvals(p, item->approvals, item->approval_count, st, needed, e) &&
		     (!bytes_is(item->kind, "exhibit") || check_disclosure_order(s, p, st, item, e));
		free(p);
	}
	if (ok) {
		AUTO_BUF pae = { 0 };
		buf_init(&pae, STATEMENT_BYTES_MAX + KIB);
		pae_write(statement_type(kind), st->payload, &pae);
		ok = buf_check(&pae, "statement to sign", e);
		if (ok)
			sign_key_sign(s->sign_key, buf_bytes(&pae), ret_signature);
	}
	return ok;
}

/* --- checkpoints ------------------------------------------------------------------------------- */

bool signing_checkpoint(struct signing *s, const struct signing_extension *x, struct buf *note_out, struct err *e)
{
	static const uint8_t no_root[SHA256_BYTES] = { 0 };
	struct checkpoint c = { .size = x->size };
	AUTO_BUF text = { 0 };

	buf_init(&text, KIB);
	if (s->locked && x->size >= s->last.size)
		return err_set(e, ERR_CONFLICT, REASON_LOCKED, "this home was restored: signing is locked (comity log recover)");
	/* No tree has that root: so asks a keeper that is to be locked, also where nothing was signed yet. */
	if (x->size < s->last.size || memcmp(x->root, no_root, sizeof(no_root)) == 0) {
		s->locked = true;
		return err_set(e, ERR_CONFLICT, REASON_LOCKED,
			       "the store has %llu leaves but %llu were signed: it was restored; signing is locked (comity log recover)",
			       (unsigned long long)x->size, (unsigned long long)s->last.size);
	}
	memcpy(c.root, x->root, sizeof(c.root));
	snprintf(c.origin, sizeof(c.origin), "%s", s->origin);
	/* Anything extends the empty tree, itself changed as well: so the same size is compared here. */
	if (x->size == s->last.size && memcmp(x->root, s->last.root, sizeof(c.root)) != 0)
		return err_set(e, ERR_CONFLICT, REASON_INCONSISTENT, "another tree of %llu leaves was signed", (unsigned long long)x->size);
	if (!merkle_check_consistency(s->last.size, x->size, x->proof, x->proof_count, s->last.root, x->root, e))
		return err_note(e, "the new checkpoint does not extend the last one");
	if (x->size != s->last.size && !cell_write(s, &c, e))
		return false;
	checkpoint_write(&c, &text);
	return buf_check(&text, "checkpoint", e) && note_sign(buf_bytes(&text), s->origin, s->log_key, note_out, e);
}

/* Clears the mark of the restore and nothing more: where the store really lacks leaves that were signed,
 * the next checkpoint locks again. */
void signing_unlock(struct signing *s)
{
	s->locked = false;
}

bool signing_locked(const struct signing *s)
{
	return s->locked;
}

const struct checkpoint *signing_last(const struct signing *s)
{
	return &s->last;
}

bool signing_unwrap(struct signing *s, struct bytes age_header, struct secret **ret_file_key, struct err *e)
{
	const struct seal_identity *ids[1] = { s->identity };

	return age_header_open(age_header, ids, 1, ret_file_key, e);
}
