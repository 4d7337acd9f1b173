/* For tests of policies: a log, witnesses with keys of their own, and policies with those keys. */
#ifndef COMITY_LOG_TEST_POLICY_H
#define COMITY_LOG_TEST_POLICY_H

#include <string.h>

#include "log/policy.h"
#include "log/test-vectors.h"

#define WITNESSES 5

struct scene {
	struct sign_key *log, *keys[WITNESSES];
	struct note_key witness[WITNESSES];
	char vkeys[WITNESSES][128], log_vkey[128];
};

static inline void vkey_text(const struct note_key *k, char *out, size_t room)
{
	AUTO_BUF text = { 0 };

	buf_init(&text, NOTE_VKEY_BYTES_MAX);
	note_key_write(k, &text);
	snprintf(out, room, "%s", buf_text(&text));
}

static inline void scene_set(struct scene *s)
{
	struct note_key log;

	s->log = sign_key_new();
	note_key_make("xa.example/log", NOTE_ED25519, sign_key_public(s->log), &log);
	vkey_text(&log, s->log_vkey, sizeof(s->log_vkey));
	for (unsigned i = 0; i < WITNESSES; i++) {
		char name[32];

		snprintf(name, sizeof(name), "w%u.example", i + 1);
		s->keys[i] = sign_key_new();
		note_key_make(name, NOTE_COSIGNATURE, sign_key_public(s->keys[i]), &s->witness[i]);
		vkey_text(&s->witness[i], s->vkeys[i], sizeof(s->vkeys[i]));
	}
}

static inline void scene_strike(struct scene *s)
{
	sign_key_free(s->log);
	for (unsigned i = 0; i < WITNESSES; i++)
		sign_key_free(s->keys[i]);
}

/* "$1" to "$5" are the witnesses' verifier keys, "$0" the log's. */
static inline void expand(const struct scene *s, const char *text, struct buf *out)
{
	buf_init(out, POLICY_BYTES_MAX);
	for (; *text != '\0'; text++) {
		if (*text == '$') {
			text++;
			buf_add_text(out, *text == '0' ? s->log_vkey : s->vkeys[*text - '1']);
		} else {
			buf_add_u8(out, (uint8_t)*text);
		}
	}
}

static inline struct policy *policy_of(const struct scene *s, const char *text)
{
	struct policy *p = NULL;
	AUTO_BUF full = { 0 };

	expand(s, text, &full);
	assert_ok(policy_parse(buf_bytes(&full), &p, e));
	return p;
}

#endif
