/* comity explain: any file of ours in plain words. It says what the file claims and judges nothing:
 * comity verify does. Kinds of files are told apart by their first bytes and members, in one table. */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/reader.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "evidence/verify-proof.h"
#include "log/checkpoint.h"
#include "log/leaf.h"
#include "log/tlog-proof.h"
#include "register/register.h"
#include "seal/age.h"
#include "statement/act.h"
#include "statement/letter.h"

#define PACKAGE_ACTS_MAX 4096

const struct option explain_options[] = { OPTION_END };

static void put_statement(const struct statement *s, struct buf *out)
{
	statement_print(s, local_offset_minutes(s->time), out);
}

static void put_people_time(int64_t ms, struct buf *out)
{
	char people[64];

	time_write_people(ms, local_offset_minutes(ms), people);
	buf_add_text(out, people);
}

/* --- proofs and checkpoints -------------------------------------------------------------------- */

/* A cosignature begins with its time: 8 bytes, and then a signature of Ed25519 or ML-DSA-44. */
#define TIME_LEN 8u

static void explain_signature(const struct note_signature *s, struct buf *out)
{
	bool cosigned = s->len == TIME_LEN + SIGNATURE_BYTES || s->len == TIME_LEN + MLDSA44_SIGNATURE_BYTES;
	AUTO_BUF bytes = { 0 };

	buf_init(&bytes, NOTE_BYTES_MAX);
	buf_add_text(out, cosigned ? "cosignature by witness: " : "signature by: ");
	text_printable(s->name, out);
	buf_add_format(out, " (key %08" PRIx32 ")", s->id);
	note_signature_decode(s, &bytes);
	if (cosigned && buf_ok(&bytes)) {
		struct reader r = reader_over(buf_bytes(&bytes));
		uint64_t time_s = reader_u64(&r);

		if (reader_ok(&r) && time_s < (uint64_t)INT64_C(253402300800)) { /* the year 10000 */
			buf_add_text(out, " at ");
			put_people_time((int64_t)time_s * 1000, out);
		}
	}
	buf_add_u8(out, '\n');
}

static bool explain_note(struct bytes in, struct buf *out, struct err *e)
{
	struct checkpoint c;
	struct note n;

	if (!note_parse(in, &n, e) || !checkpoint_parse(n.text, &c, e))
		return false;
	buf_add_text(out, "checkpoint of the log ");
	output_printable(out, c.origin);
	buf_add_format(out, "\nsize: %" PRIu64 " leaves\nroot: ", c.size);
	buf_add_hex(out, BYTES_ARRAY(c.root));
	buf_add_u8(out, '\n');
	for (size_t i = 0; i < n.signature_count; i++)
		explain_signature(&n.signatures[i], out);
	return true;
}

/* Hearsay, as everything here: comity verify says what of it holds. */
static void explain_extra(const struct tlog_proof *p, struct buf *out)
{
	struct proof_extra x;

	if (!proof_extra_parse(p, &x, NULL)) {
		buf_add_text(out, p->extra.len == 0 ? "" : "extra: not ours, or it does not rebuild its leaf\n");
		return;
	}
	buf_add_format(out, "statement that it is said to be of: %s, SHA-256 ", x.kind);
	buf_add_hex(out, BYTES_ARRAY(x.hash));
	buf_add_u8(out, '\n');
}

static bool explain_proof(struct bytes in, struct buf *out, struct err *e)
{
	struct tlog_proof p;

	if (!tlog_proof_parse(in, &p, e))
		return false;
	buf_add_format(out, "proof that a leaf stands in a log\nindex of the leaf: %" PRIu64 "\nhashes on the way to the root: %zu\n",
		       p.index, p.hash_count);
	explain_extra(&p, out);
	return explain_note(p.note, out, e);
}

static bool explain_age(struct bytes in, struct buf *out, struct err *e)
{
	size_t len = 0, stanzas = 0;
	struct bytes rest;

	if (!age_header_length(in, &len, e))
		return false;
	rest = bytes_slice(in, 0, len);
	while (rest.len > 0)
		stanzas += bytes_starts(bytes_cut(&rest, '\n'), "-> ") ? 1 : 0;
	buf_add_format(out, "sealed file (age v1) for %zu recipient%s; comity open -i IDENTITY FILE opens it, as any age does\n",
		       stanzas, stanzas == 1 ? "" : "s");
	return len > 0 || err_set(e, ERR_INPUT, REASON_MALFORMED, "its header has no end");
}

static bool explain_key(struct bytes in, struct buf *out, struct err *e)
{
	buf_add_text(out, "private signing key (Ed25519). Keep it secret; comity key show FILE prints its public half\n");
	return true;
}

/* --- JSON -------------------------------------------------------------------------------------- */

static void put_approval(const struct approval *p, struct buf *out)
{
	buf_add_text(out, "approved by ");
	output_printable(out, p->approver);
	buf_add_format(out, " as %s (%s), ", approval_role_code(p->role), p->assurance);
	put_people_time(p->time, out);
	buf_add_u8(out, '\n');
	if (p->note[0] != '\0') {
		buf_add_text(out, "  note: ");
		output_printable(out, p->note);
		buf_add_u8(out, '\n');
	}
}

static bool put_act(const struct act *a, struct buf *out)
{
	struct tlog_proof p;
	struct checkpoint c;
	struct note n;

	put_statement(a->statement, out);
	for (size_t i = 0; i < a->envelope.signature_count; i++)
		buf_add_format(out, "signature by key %s\n", a->envelope.signatures[i].keyid);
	for (size_t i = 0; i < a->approval_count; i++)
		put_approval(&a->approvals[i], out);
	if (a->proof.len == 0) {
		buf_add_text(out, a->leaf.len == 0 ? "this kind is not logged\n" : "not proved to be logged\n");
		return true;
	}
	if (!tlog_proof_parse(a->proof, &p, NULL) || !note_parse(p.note, &n, NULL) || !checkpoint_parse(n.text, &c, NULL)) {
		buf_add_text(out, "its proof cannot be read\n");
		return true;
	}
	buf_add_format(out, "logged as leaf %" PRIu64 " of ", p.index);
	output_printable(out, c.origin);
	buf_add_format(out, " (at size %" PRIu64 ")\n", c.size);
	return true;
}

static bool explain_act(struct bytes in, const json_t *v, struct buf *out, struct err *e)
{
	AUTO_ACT *a = NULL;

	return act_parse(in, &a, e) && put_act(a, out);
}

static bool explain_envelope(struct bytes in, const json_t *v, struct buf *out, struct err *e)
{
	AUTO_ENVELOPE env = { 0 };
	AUTO_STATEMENT *s = NULL;

	if (bytes_is(json_bytes(v, "payloadType"), APPROVAL_TYPE)) {
		AUTO_APPROVAL p = { 0 };
		if (!approval_parse(in, &p, e))
			return false;
		buf_add_text(out, "approval of the statement ");
		buf_add_hex(out, BYTES_ARRAY(p.hash));
		buf_add_u8(out, '\n');
		put_approval(&p, out);
		return true;
	}
	if (!envelope_parse(in, &env, e) || !statement_parse(bytes_of(env.type), buf_bytes(&env.payload), &s, e))
		return false;
	put_statement(s, out);
	for (size_t i = 0; i < env.signature_count; i++)
		buf_add_format(out, "signature by key %s\n", env.signatures[i].keyid);
	return true;
}

static bool explain_letter(struct bytes in, const json_t *v, struct buf *out, struct err *e)
{
	AUTO_LETTER *l = NULL;

	if (!letter_parse(in, &l, e))
		return false;
	buf_add_format(out, "letter from %s to %s with %zu act%s\n", l->from, l->to, l->act_count, l->act_count == 1 ? "" : "s");
	if (l->pair.n > 0)
		buf_add_format(out, "letter %llu of %s to %s\n", (unsigned long long)l->pair.n, l->from, l->to);
	for (size_t i = 0; i < l->act_count; i++) {
		buf_add_format(out, "\n--- act %zu ---\n", i + 1);
		(void)put_act(l->acts[i], out);
	}
	return true;
}

static bool explain_payload(struct bytes in, const json_t *v, struct buf *out, struct err *e)
{
	const struct kind *k = kind_find(json_bytes(v, "kind"));
	AUTO_STATEMENT *s = NULL;

	if (k == NULL)
		return err_set(e, ERR_INPUT, REASON_UNKNOWN_KIND, "it names no kind of statement that Comity knows");
	if (!statement_parse(statement_type(k), in, &s, e))
		return false;
	put_statement(s, out);
	buf_add_text(out, "not signed: this is only what would be signed\n");
	return true;
}

static bool explain_counterproof(struct bytes in, const json_t *v, struct buf *out, struct err *e)
{
	buf_add_format(out, "the other log's side of the statement %s\n", json_text(v, "hash"));
	return explain_proof(json_bytes(v, "proof"), out, e);
}

static bool explain_leaf(struct bytes in, const json_t *v, struct buf *out, struct err *e)
{
	uint8_t c[32], k[32], t[32];

	if (!leaf_parse(in, c, k, t, e))
		return false;
	buf_add_text(out, "leaf of a log: commitments that say nothing without the act's opening\n");
	return true;
}

static bool explain_bundle(struct bytes in, const json_t *v, struct buf *out, struct err *e)
{
	struct register_ *r = register_new();
	bool ok = register_load(r, in, NULL, clock_now_ms(), out, e);

	if (ok) {
		const uint8_t *fingerprint = register_root_fingerprint(r);
		buf_add_format(out, "register with %zu parties, as of ", register_count(r));
		put_people_time(register_time(r), out);
		buf_add_text(out, "\ntrust root (compare it yourself): ");
		if (fingerprint != NULL)
			buf_add_hex(out, bytes_from(fingerprint, SHA256_BYTES));
		buf_add_u8(out, '\n');
		for (size_t i = 0; i < register_count(r); i++) {
			buf_add_u8(out, '\n');
			party_print(register_at(r, i), local_offset_minutes(clock_now_ms()), out);
		}
	}
	register_free(r);
	return ok;
}

/* Of a package: {path: name as received}. */
static bool explain_names(struct bytes in, const json_t *v, struct buf *out, struct err *e)
{
	const char *path;
	json_t *name;

	buf_add_text(out, "meta/names.json of a package: the names that the exhibits had when they were received\n");
	json_object_foreach((json_t *)(uintptr_t)v, path, name) {
		output_printable(out, path);
		buf_add_text(out, "  was  ");
		output_printable(out, json_is_string(name) ? json_string_value(name) : "?");
		buf_add_u8(out, '\n');
	}
	return true;
}

static bool explain_custody(struct bytes in, const json_t *v, struct buf *out, struct err *e)
{
	buf_add_format(out,
		       "meta/custody.jsonld of a package: who had the exhibits in hand, in CASE/UCO for other tools\n"
		       "it has %zu objects, and follows from the custody statements in meta/acts; comity verify compares the two\n",
		       json_array_size(json_object_get(v, "@graph")));
	return true;
}

static bool is_names(const json_t *v)
{
	const char *path;
	json_t *name;

	json_object_foreach((json_t *)(uintptr_t)v, path, name)
		if (!bytes_starts(bytes_of(path), "data/") || !json_is_string(name))
			return false;
	return json_object_size(v) > 0;
}

/* Told by a member that no other has. */
static const struct {
	const char *member;
	bool (*explain)(struct bytes in, const json_t *v, struct buf *out, struct err *e);
} json_kinds[] = {
	{ "envelope", explain_act },         { "payloadType", explain_envelope }, { "acts", explain_letter },
	{ "legal_basis", explain_payload },  { "roots", explain_bundle },         { "k", explain_leaf },
	{ "leaf", explain_counterproof },    { "@graph", explain_custody },
};

static bool explain_json(struct bytes in, struct buf *out, struct err *e)
{
	AUTO_JSON *v = NULL;

	if (!json_parse(in, "the file", &v, e))
		return false;
	for (size_t i = 0; i < sizeof(json_kinds) / sizeof(json_kinds[0]); i++)
		if (json_object_get(v, json_kinds[i].member) != NULL)
			return json_kinds[i].explain(in, v, out, e);
	if (is_names(v))
		return explain_names(in, v, out, e);
	return err_set(e, ERR_INPUT, REASON_UNKNOWN_KIND, "this JSON is nothing that Comity writes");
}

static const struct {
	const char *begins;
	bool (*explain)(struct bytes in, struct buf *out, struct err *e);
} kinds[] = {
	{ "age-encryption.org/v1", explain_age }, { "c2sp.org/tlog-proof@v1", explain_proof },
	{ "comity-key-v1 ", explain_key },        { "{", explain_json },
};

static bool explain_bytes(struct bytes in, struct buf *out, struct err *e)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (bytes_starts(in, kinds[i].begins))
			return kinds[i].explain(in, out, e);
	if (!explain_note(in, out, NULL))
		return err_set(e, ERR_INPUT, REASON_UNKNOWN_KIND,
			       "this is no statement, act, letter, proof, checkpoint, register or sealed file");
	return true;
}

/* --- files and folders -------------------------------------------------------------------------- */

static bool explain_file(int dir_fd, const char *path, struct buf *out, struct err *e)
{
	AUTO_FD fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	AUTO_BUF in = { 0 };
	struct stat st;

	if (fd < 0 || fstat(fd, &st) != 0)
		return err_system(e, "cannot open %s", path);
	/* A sealed file may be of any size: its header is enough. */
	if (st.st_size > (off_t)REGISTER_BYTES_MAX) {
		buf_init(&in, AGE_HEADER_BYTES_MAX);
		uint8_t *at = buf_room(&in, AGE_HEADER_BYTES_MAX);
		ssize_t got = at == NULL ? -1 : read(fd, at, AGE_HEADER_BYTES_MAX);
		if (got < 0)
			return err_system(e, "cannot read %s", path);
		buf_grown(&in, (size_t)got);
		if (!bytes_starts(buf_bytes(&in), kinds[0].begins))
			return err_set(e, ERR_LIMIT, REASON_TOO_LARGE, "%s is too large for anything but a sealed file", path);
	} else {
		buf_init(&in, REGISTER_BYTES_MAX);
		if (!file_read_fd(fd, path, &in, e))
			return false;
	}
	return explain_bytes(buf_bytes(&in), out, e) || err_note(e, "%s", path);
}

static int is_act(const struct dirent *d)
{
	return strstr(d->d_name, ".json") != NULL && strstr(d->d_name, ".counterproof.") == NULL;
}

static bool explain_acts(int dir_fd, struct buf *out, struct err *e)
{
	struct dirent **names = NULL;
	int n = scandirat(dir_fd, ".", &names, is_act, alphasort);
	bool ok = n >= 0 || err_system(e, "cannot list meta/acts");

	for (int i = 0; i < n; i++) {
		if (ok && i < PACKAGE_ACTS_MAX) {
			buf_add_format(out, "\n--- %s ---\n", names[i]->d_name);
			ok = explain_file(dir_fd, names[i]->d_name, out, e);
		}
		free(names[i]);
	}
	free(names);
	return ok;
}

static bool explain_package(const char *path, struct buf *out, struct err *e)
{
	AUTO_FD dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO_FD acts = -1;
	AUTO_BUF info = { 0 };

	buf_init(&info, MIB);
	if (dir < 0)
		return err_system(e, "cannot open %s", path);
	if (!file_read(dir, "bag-info.txt", &info, e))
		return err_set(e, ERR_INPUT, REASON_UNKNOWN_KIND, "%s is no package: it has no bag-info.txt", path);
	buf_add_text(out, "evidence package (BagIt folder); comity verify judges it\n");
	output_lines(out, buf_text(&info));
	acts = openat(dir, "meta/acts", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (acts < 0)
		return err_system(e, "cannot open %s/meta/acts", path);
	return explain_acts(acts, out, e);
}

int explain_command(const struct args *a)
{
	const char *path = a->positional[0];
	struct stat st;
	struct err e;
	AUTO_BUF out = { 0 };
	AUTO_BUF in = { 0 };
	bool ok;

	buf_init(&out, OUTPUT_BYTES_MAX);
	buf_init(&in, REGISTER_BYTES_MAX);
	if (bytes_is(bytes_of(path), "-"))
		ok = input_read(path, &in, &e) && explain_bytes(buf_bytes(&in), &out, &e);
	else if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		ok = explain_package(path, &out, &e);
	else
		ok = explain_file(AT_FDCWD, path, &out, &e);
	return command_ended(ok && output_write(&out, &e), &e);
}
