/* The keeper and the witness of the same home: the keeper says which logs to watch, the witness says whether it
 * signs. Neither has a hand in the other's files. */
#include <string.h>

#include "base/diag.h"
#include "base/text.h"
#include "daemon/keeper.h"
#include "exchange/watched.h"

/* A byte, 1 when it signs, and one sentence why not. */
void keeper_witness_message(struct keeper *k, struct bytes msg)
{
	struct node_witness *w = &k->node->witness;

	w->heard = true;
	w->signs = msg.len > 0 && msg.at[0] == 1;
	bytes_text(bytes_slice(msg, 1, msg.len), w->why, sizeof(w->why));
}

void keeper_witness_gone(struct keeper *k)
{
	k->node->witness = (struct node_witness){ .heard = false };
	k->watched[0] = '\0';
}

void keeper_witness_tell(struct keeper *k)
{
	uint8_t digest[SHA256_BYTES];
	char hex[2 * SHA256_BYTES + 1];
	struct err e = { 0 };
	AUTO_BUF text = { 0 };

	buf_init(&text, WITNESS_LOGS_BYTES_MAX);
	if (!watched_text(k->node, &text, &e)) {
		diag_err(DIAG_ERROR, "watched", &e);
		return;
	}
	sha256(buf_bytes(&text), digest);
	hex_write(BYTES_ARRAY(digest), hex);
	if (k->to[ROLE_witness] != NULL && strcmp(hex, k->watched) != 0 && keeper_send(k, ROLE_witness, &text, NULL, 0))
		memcpy(k->watched, hex, sizeof(hex));
}
