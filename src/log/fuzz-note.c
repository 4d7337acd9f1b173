/* Notes from outside: what parses holds together, and no fuzzer forges a signature. Verifier keys have
 * one spelling. */
#include <stdlib.h>
#include <string.h>

#include "log/note.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t public_key[SIGN_PUBLIC_BYTES] = { 9 };
	struct bytes in = bytes_from(data, size);
	struct note_key key;
	struct note_signature line;
	struct note n;
	AUTO_BUF again = { 0 };
	AUTO_BUF signature = { 0 };

	buf_init(&again, NOTE_VKEY_BYTES_MAX);
	buf_init(&signature, NOTE_BYTES_MAX);
	if (note_key_parse(in, &key, NULL)) {
		note_key_write(&key, &again);
		if (!bytes_equal(buf_bytes(&again), in))
			abort();
	}
	if (note_signature_parse(in, &line, NULL) && (line.len == 0 || line.name.len + 1 + line.base64.len != size))
		abort();
	if (!note_parse(in, &n, NULL))
		return 0;
	if (n.signature_count == 0 || n.signature_count > NOTE_SIGNATURES_MAX || n.text.len == 0 ||
	    n.text.at != data || n.text.at[n.text.len - 1] != '\n' || data[n.text.len] != '\n')
		abort();
	for (size_t i = 0; i < n.signature_count; i++) {
		const struct note_signature *s = &n.signatures[i];

		if (s->name.len == 0 || s->name.len > NOTE_NAME_BYTES_MAX || s->len == 0)
			abort();
		buf_clear(&signature);
		note_signature_decode(s, &signature);
		if (signature.len != s->len || (s->len <= sizeof(s->bytes) && memcmp(signature.at, s->bytes, s->len) != 0))
			abort();
		memset(&key, 0, sizeof(key));
		memcpy(key.name, s->name.at, s->name.len);
		memcpy(key.public_key, public_key, sizeof(public_key));
		key.public_key_len = sizeof(public_key);
		key.type = NOTE_ED25519;
		key.id = s->id;
		if (note_verify(&n, &key, NULL))
			abort();
	}
	return 0;
}
