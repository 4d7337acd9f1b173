/* c2sp.org/tlog-proof@v1: index, sibling hashes from the leaf's side, checkpoint. The text has one
 * spelling. Who checks it needs the leaf, which the proof does not carry, and the log's key. */
#include "log/tlog-proof.h"

#include <string.h>

static const char head[] = "c2sp.org/tlog-proof@v1\n";

static bool malformed(struct err *e, const char *what)
{
	return err_set(e, ERR_INPUT, REASON_MALFORMED, "proof: %s", what);
}

bool proof_lines_read(struct reader *r, const char *what, merkle_hash hashes[static PROOF_HASHES_MAX], size_t *ret_count,
		       struct err *e)
{
	for (*ret_count = 0;;) {
		struct bytes line = reader_line(r, NOTE_BYTES_MAX);
		AUTO_BUF hash = { 0 };

		buf_init(&hash, SHA256_BYTES);
		if (!reader_ok(r))
			return err_set(e, ERR_INPUT, REASON_MALFORMED, "%s: no blank line before the checkpoint", what);
		if (line.len == 0)
			return true;
		if (*ret_count == PROOF_HASHES_MAX)
			return err_set(e, ERR_LIMIT, REASON_TOO_LARGE, "%s: over %u hashes", what, PROOF_HASHES_MAX);
		if (!base64_parse(line, true, &hash) || hash.len != SHA256_BYTES)
			return err_set(e, ERR_INPUT, REASON_MALFORMED, "%s: a hash is not base64 of 32 bytes", what);
		memcpy(hashes[(*ret_count)++], hash.at, SHA256_BYTES);
	}
}

static bool extra_parse(struct reader *r, struct tlog_proof *p, struct err *e)
{
	AUTO_BUF decoded = { 0 };

	buf_init(&decoded, NOTE_BYTES_MAX);
	reader_literal(r, "extra ");
	p->extra = reader_line(r, NOTE_BYTES_MAX);
	if (!reader_ok(r) || p->extra.len == 0 || !base64_parse(p->extra, true, &decoded))
		return malformed(e, "extra is not base64");
	return true;
}

bool tlog_proof_parse(struct bytes in, struct tlog_proof *ret, struct err *e)
{
	struct reader r = reader_over(in);
	struct tlog_proof p = { .index = 0 };
	struct note n;

	if (!reader_literal(&r, head))
		return malformed(e, "it does not begin with c2sp.org/tlog-proof@v1");
	if (bytes_starts(bytes_slice(in, r.pos, in.len), "extra ") && !extra_parse(&r, &p, e))
		return false;
	reader_literal(&r, "index ");
	p.index = reader_decimal(&r);
	reader_literal(&r, "\n");
	if (!reader_ok(&r) || p.index > INT64_MAX)
		return malformed(e, "no valid index");
	if (!proof_lines_read(&r, "proof", p.hashes, &p.hash_count, e))
		return false;
	p.note = reader_rest(&r);
	if (!note_parse(p.note, &n, e))
		return err_note(e, "proof");
	*ret = p;
	return true;
}

void tlog_proof_write(const struct tlog_proof *p, struct buf *out)
{
	buf_add_text(out, head);
	if (p->extra.len > 0) {
		buf_add_text(out, "extra ");
		buf_add(out, p->extra);
		buf_add_u8(out, '\n');
	}
	buf_add_format(out, "index %llu\n", (unsigned long long)p->index);
	for (size_t i = 0; i < p->hash_count; i++) {
		base64_write(BYTES_ARRAY(p->hashes[i]), true, out);
		buf_add_u8(out, '\n');
	}
	buf_add_u8(out, '\n');
	buf_add(out, p->note);
}

static bool proof_check(struct bytes proof_text, struct bytes leaf_entry, const char *origin, const struct note_key *log_key,
			struct checkpoint_cache *cache, struct checkpoint *ret, uint64_t *ret_index, struct err *e)
{
	struct err why = { 0 };
	struct tlog_proof p;
	struct checkpoint c;
	merkle_hash leaf;

	if (proof_text.len == 0)
		return err_set(e, ERR_REJECTED, REASON_UNLOGGED, "there is no proof that this stands in the log of %s",
			       origin == NULL ? log_key->name : origin);
	if (!tlog_proof_parse(proof_text, &p, &why))
		return err_set(e, ERR_REJECTED, REASON_BAD_PROOF, "%s", why.text);
	/* To whoever asked for a proof under this key, another key's checkpoint is as good as unsigned. */
	if (!(origin == NULL ? checkpoint_verify_cached(cache, p.note, log_key, &c, &why)
			     : checkpoint_verify_of(p.note, origin, log_key, &c, &why)))
		return err_set(e, ERR_REJECTED, why.kind == ERR_REJECTED ? REASON_BAD_SIGNATURE : REASON_BAD_PROOF, "proof: %s", why.text);
	merkle_leaf(leaf_entry, leaf);
	if (!merkle_check_inclusion(p.index, c.size, leaf, (const merkle_hash *)p.hashes, p.hash_count, c.root, e))
		return false;
	*ret = c;
	*ret_index = p.index;
	return true;
}

bool tlog_proof_check(struct bytes proof_text, struct bytes leaf_entry, const struct note_key *log_key,
		      struct checkpoint_cache *cache, struct checkpoint *ret, uint64_t *ret_index, struct err *e)
{
	return proof_check(proof_text, leaf_entry, NULL, log_key, cache, ret, ret_index, e);
}

bool tlog_proof_check_of(struct bytes proof_text, struct bytes leaf_entry, const char *origin, const struct note_key *log_key,
			 struct checkpoint *ret, uint64_t *ret_index, struct err *e)
{
	return proof_check(proof_text, leaf_entry, origin, log_key, NULL, ret, ret_index, e);
}
