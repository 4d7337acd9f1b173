/* Approvals. An approval is an envelope with exactly one signature, because it is the act of one
 * person; what it approves is the hash of one statement. Whether the signer may approve is for the
 * register to say: this file only promises that what is parsed is well-formed and has one spelling. */
#include "seal/approval.h"

#include <string.h>

#include "base/json.h"

#define APPROVAL_VERSION 1
#define APPROVAL_MEMBERS 7u
#define ASSURANCE_KEY_FILE "key-file"

static const struct {
	const char *code, *words;
} roles[APPROVAL_ROLE_COUNT] = {
#define APPROVAL_ROLE(name, code, words) { code, words },
#include "seal/approval-roles.tbl.h"
};

const char *approval_role_code(enum approval_role r)
{
	return (unsigned)r < APPROVAL_ROLE_COUNT ? roles[r].code : "unknown";
}

const char *approval_role_words(enum approval_role r)
{
	return (unsigned)r < APPROVAL_ROLE_COUNT ? roles[r].words : "unknown";
}

bool approval_role_find(struct bytes code, enum approval_role *ret)
{
	for (unsigned i = 0; i < APPROVAL_ROLE_COUNT; i++) {
		if (bytes_is(code, roles[i].code)) {
			*ret = (enum approval_role)i;
			return true;
		}
	}
	return false;
}

/* A name is shown beside a decision: nothing in it may hide, or turn the line around. */
static bool name_check(struct bytes name, struct err *e)
{
	AUTO_BUF clean = { 0 };

	buf_init(&clean, 3 * APPROVER_NAME_BYTES_MAX);
	if (name.len == 0 || name.len > APPROVER_NAME_BYTES_MAX)
		return err_set(e, ERR_INPUT, REASON_BAD_FIELD,
			       "the approver's name is empty or longer than %u bytes",
			       APPROVER_NAME_BYTES_MAX);
	text_printable(name, &clean);
	if (!bytes_equal(buf_bytes(&clean), name))
		return err_set(e, ERR_INPUT, REASON_BAD_FIELD,
			       "the approver's name holds a character that is not allowed");
	return true;
}

static bool note_check(struct bytes note, struct err *e)
{
	if (note.len > APPROVAL_NOTE_BYTES_MAX)
		return err_set(e, ERR_LIMIT, REASON_TOO_LARGE, "the note is longer than %u bytes",
			       APPROVAL_NOTE_BYTES_MAX);
	if (!utf8_is_valid(note))
		return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "the note is not UTF-8");
	return true;
}

static void text_set(char *out, struct bytes in)
{
	if (in.len > 0)
		memcpy(out, in.at, in.len);
	out[in.len] = '\0';
}

static bool assurance_check(struct bytes assurance, struct err *e)
{
	if (bytes_is(assurance, ASSURANCE_KEY_FILE))
		return true;
	/* passkey, paper, oral: named by the design, verified by no code here yet. */
	return err_set(e, ERR_REJECTED, REASON_BAD_APPROVAL,
		       "this node verifies approvals by key-file only, and this one is of another kind");
}

static bool payload_parse(const json_t *v, struct approval *a, struct err *e)
{
	struct bytes name, note;
	const char *approver, *assurance, *text, *role, *time;
	int64_t version;

	if (json_object_size(v) != APPROVAL_MEMBERS)
		return err_set(e, ERR_INPUT, REASON_MALFORMED, "an approval has exactly %u members",
			       APPROVAL_MEMBERS);
	if (!json_must_int(v, "v", APPROVAL_VERSION, APPROVAL_VERSION, &version, e) ||
	    !json_must_text(v, "approver", &approver, e) ||
	    !json_must_text(v, "assurance", &assurance, e) ||
	    !json_must_hex(v, "hash", a->hash, sizeof(a->hash), e) ||
	    !json_must_text(v, "note", &text, e) || !json_must_text(v, "role", &role, e) ||
	    !json_must_text(v, "time", &time, e))
		return false;
	name = bytes_of(approver);
	note = bytes_of(text);
	if (!name_check(name, e) || !note_check(note, e) || !assurance_check(bytes_of(assurance), e))
		return false;
	if (!approval_role_find(bytes_of(role), &a->role))
		return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "the field role names no role that signs");
	if (!time_parse(bytes_of(time), &a->time))
		return err_set(e, ERR_INPUT, REASON_BAD_FIELD, "the field time is no time");
	text_set(a->approver, name);
	text_set(a->note, note);
	text_set(a->assurance, bytes_of(assurance));
	return true;
}

static bool parse_into(struct bytes envelope, struct approval *a, struct err *e)
{
	AUTO_JSON *v = NULL;

	if (!envelope_parse(envelope, &a->envelope, e))
		return false;
	if (!bytes_is(bytes_of(a->envelope.type), APPROVAL_TYPE))
		return err_set(e, ERR_INPUT, REASON_UNKNOWN_KIND, "the envelope is not of the type %s",
			       APPROVAL_TYPE);
	if (a->envelope.signature_count != 1)
		return err_set(e, ERR_INPUT, REASON_BAD_APPROVAL,
			       "an approval has one signature, this one has %zu",
			       a->envelope.signature_count);
	return json_parse_canonical(buf_bytes(&a->envelope.payload), "payload", &v, e) &&
	       payload_parse(v, a, e);
}

bool approval_parse(struct bytes envelope, struct approval *ret, struct err *e)
{
	memset(ret, 0, sizeof(*ret));
	if (!parse_into(envelope, ret, e)) {
		approval_release(ret);
		return err_note(e, "approval");
	}
	return true;
}

void approval_release(struct approval *a)
{
	if (a == NULL)
		return;
	envelope_release(&a->envelope);
	memset(a, 0, sizeof(*a));
}

bool approval_make(const struct sign_key *k, const char *approver, enum approval_role role, const char *note,
		   const uint8_t hash[static SHA256_BYTES], int64_t time_ms, struct buf *out, struct err *e)
{
	char time[TIME_TEXT_LEN + 1];
	int64_t time_again;
	AUTO_JSON *v = NULL;
	AUTO_BUF payload = { 0 };

	buf_init(&payload, 6 * (APPROVAL_NOTE_BYTES_MAX + APPROVER_NAME_BYTES_MAX) + 512);
	time_write(time_ms, time);
	if (!name_check(bytes_of(approver), e) || !note_check(bytes_of(note), e))
		return false;
	if ((unsigned)role >= APPROVAL_ROLE_COUNT || !time_parse(bytes_of(time), &time_again) ||
	    time_again != time_ms)
		return err_set(e, ERR_INPUT, REASON_BAD_ARGUMENT,
			       "an approval needs a role and a time between the years 1 and 9999");
	v = json_object();
	json_put_text(v, "approver", approver);
	json_put_text(v, "assurance", ASSURANCE_KEY_FILE);
	json_put_hex(v, "hash", bytes_from(hash, SHA256_BYTES));
	json_put_text(v, "note", note);
	json_put_text(v, "role", approval_role_code(role));
	json_put_time(v, "time", time_ms);
	json_put_int(v, "v", APPROVAL_VERSION);
	return json_write_canonical(v, &payload, e) &&
	       envelope_sign(bytes_of(APPROVAL_TYPE), buf_bytes(&payload), k, out, e);
}
