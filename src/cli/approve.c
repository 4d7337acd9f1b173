/* One approval: fetch, parse, compare hashes, show, ask, sign, send. */
#include "cli/approve.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"
#include "cli/output.h"
#include "seal/approval.h"
#include "statement/statement.h"

static bool fetch(struct client *c, const char *draft, struct statement **ret, struct err *e)
{
	AUTO_JSON *in = json_object(), *answer = NULL;
	AUTO_BUF payload = { 0 };
	uint8_t told[SHA256_BYTES];

	buf_init(&payload, STATEMENT_BYTES_MAX);
	json_put_text(in, "draft", draft);
	if (!client_call(c, "draft-show", json_incref(in), &answer, e))
		return false;
	if (!base64_parse(json_bytes(answer, "payload"), true, &payload))
		return err_set(e, ERR_SYSTEM, REASON_MALFORMED, "the draft's payload is not base64");
	if (!statement_parse(json_bytes(answer, "type"), buf_bytes(&payload), ret, e))
		return err_note(e, "the draft cannot be read");
	if (!json_must_hex(answer, "hash", told, sizeof(told), e) || memcmp(told, (*ret)->hash, sizeof(told)) != 0) {
		statement_free(*ret);
		*ret = NULL;
		return err_set(e, ERR_REJECTED, REASON_DIGEST_MISMATCH,
			       "the node names another hash than that of the draft it shows: nothing was signed");
	}
	return true;
}

static bool show(const struct statement *s, struct err *e)
{
	AUTO_BUF text = { 0 };

	buf_init(&text, OUTPUT_BYTES_MAX);
	buf_add_text(&text, "--- this will be signed ---\n");
	statement_print(s, local_offset_minutes(s->time), &text);
	buf_add_text(&text, "---\n");
	return buf_check(&text, "the text of the draft", e) && file_write_all(STDERR_FILENO, buf_bytes(&text), e);
}

static bool ask(const struct approve *p, struct err *e)
{
	char answer[8];

	if (!p->ask)
		return true;
	if (isatty(STDIN_FILENO) != 1 || isatty(STDERR_FILENO) != 1)
		return err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "there is no terminal to ask on: give --yes to sign what was shown");
	fprintf(stderr, "Sign this as %s (%s)? [y/N] ", p->as, p->role);
	fflush(stderr);
	if (fgets(answer, sizeof(answer), stdin) != NULL && (answer[0] == 'y' || answer[0] == 'Y'))
		return true;
	return err_set(e, ERR_FORBIDDEN, REASON_NOT_ALLOWED, "nothing was signed");
}

static bool load_key(const char *path, struct sign_key **ret, struct err *e)
{
	AUTO_BUF_WIPE file = { 0 };

	buf_init(&file, 4 * KIB);
	return file_read(AT_FDCWD, path, &file, e) && (sign_key_parse(buf_bytes(&file), ret, e) || err_note(e, "%s", path));
}

bool approve_draft(struct client *c, const struct approve *p, json_t **ret, struct err *e)
{
	AUTO_STATEMENT *s = NULL;
	AUTO_SIGN_KEY *key = NULL;
	enum approval_role role;
	AUTO_BUF envelope = { 0 };
	json_t *in;

	buf_init(&envelope, ENVELOPE_BYTES_MAX);
	if (!approval_role_find(bytes_of(p->role), &role))
		return err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT, "there is no role \"%s\"", p->role);
	if (!load_key(p->key, &key, e) || !fetch(c, p->draft, &s, e) || (!p->quiet && !show(s, e)) || !ask(p, e))
		return false;
	if (!approval_make(key, p->as, role, p->note != NULL ? p->note : "", s->hash, clock_now_ms(), &envelope, e))
		return false;
	in = json_object();
	json_put_text(in, "draft", p->draft);
	json_put_bytes(in, "envelope", buf_bytes(&envelope));
	return client_call(c, "draft-approve", in, ret, e);
}
