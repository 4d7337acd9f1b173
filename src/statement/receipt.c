/* A node's word on a letter: received and logged, or rejected with a reason and another channel to call.
 * A rejection is no refusal under the Convention (design.md part 2). What was received has a leaf and
 * a deadline for its proof; what was rejected has neither. pair_n and pair_head say how many letters of the sender
 * the receiver counts after this one, and the head of their chain: its word on the whole history. */
#include "statement/body.h"

static const struct member members[] = {
	M_ID_OR_NONE("id", "id of the statement"),
	M_HASH_OR_NONE("leaf", "leaf in the receiver's log"),
	M_HASH("letter", "letter"),
	M_LINE("other_channel", "other channel"),
	M_CHOICE("outcome", "received|rejected", "outcome"),
	/* Receipts of before letters were counted have neither. */
	{ .name = "pair_head", .type = MEMBER_HASH, .optional = true, .may_miss = true, .words = "head of the sender's letters here" },
	{ .name = "pair_n", .type = MEMBER_COUNT, .may_miss = true, .min = 0, .max = LETTER_NUMBER_MAX, .words = "letters of the sender here" },
	M_TIME_OR_NONE("proof_due", "proof is due"),
	M_LINE("reason", "reason"),
	M_HASH_OR_NONE("statement", "statement"),
	M_HASH_OR_NONE("tag", "tag in the receiver's log"),
	M_TEXT("text", "in words"),
};
const struct shape receipt_shape = SHAPE(members);

bool receipt_parse(const json_t *body, struct err *e)
{
	static const char *const of_received[] = { "id", "statement" }, *const of_logged[] = { "leaf", "tag", "proof_due" };
	size_t logged = 0;
	bool received;

	if (!body_parse(body, &receipt_shape, e))
		return false;
	received = bytes_is(json_bytes(body, "outcome"), "received");
	for (size_t i = 0; received && i < sizeof(of_received) / sizeof(of_received[0]); i++)
		if (json_bytes(body, of_received[i]).len == 0)
			return err_set(e, ERR_INPUT, REASON_MISSING_FIELD,
				       "a receipt for a letter that was received has no %s", of_received[i]);
	/* A notice gets neither leaf nor proof. */
	for (size_t i = 0; i < sizeof(of_logged) / sizeof(of_logged[0]); i++)
		logged += json_bytes(body, of_logged[i]).len > 0;
	if (received && logged != 0 && logged != sizeof(of_logged) / sizeof(of_logged[0]))
		return err_set(e, ERR_INPUT, REASON_MISSING_FIELD, "leaf, tag and deadline of the proof stand together in a receipt");
	if (json_object_get(body, "pair_head") != NULL && json_bytes(body, "pair_head").len == 0 && json_int(body, "pair_n") != 0)
		return err_set(e, ERR_INPUT, REASON_MISSING_FIELD, "a receipt counts letters and gives no head");
	if (!received && json_bytes(body, "reason").len == 0)
		return err_set(e, ERR_INPUT, REASON_MISSING_FIELD, "a rejection gives no reason");
	return true;
}

void receipt_check(const struct statement *s, const struct treaty *t, struct findings *f)
{
	if (bytes_is(json_bytes(s->body, "outcome"), "rejected"))
		body_must_text(s->body, "other_channel", "", f,
			       "a rejected letter needs another way: name a telephone to call");
}

void receipt_print(const struct statement *s, int offset_minutes, struct buf *out)
{
	body_print(s->body, &receipt_shape, offset_minutes, out);
}
