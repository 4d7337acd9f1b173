/* Answers of witnesses: whatever comes, the note stays a note of the same text, and only a line that verifies under the
 * witness's key is taken. The first byte chooses which key is asked about; the rest is the answer. */
#include <stdlib.h>
#include <string.h>

#include "log/cosignature.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TEXT "xa.example/log\n7\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
#define TIME_S 1760000000 /* of the one cosignature that its key ever made; it stands in the corpus */

static void key_choose(uint8_t which, struct note_key *ret)
{
	static const uint8_t nobody[SIGN_PUBLIC_BYTES] = { 9 };

	if (!note_key_parse(bytes_of("xr.example/witness+388d4679+BGNrBUvRF0W1GEAHwSD4ONogRKVNaC6NKNsjB790kkg6"), ret, NULL))
		abort();
	if (which == 'n') {
		note_key_make(ret->name, NOTE_COSIGNATURE, nobody, ret);
	} else if (which == 'p') { /* the line of the right name and id, another kind of key */
		ret->type = NOTE_COSIGNATURE_MLDSA;
		ret->public_key_len = MLDSA44_PUBLIC_BYTES;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char one[] = TEXT "\n" NOTE_DASH "other AAAAAAAA\n";
	struct bytes answer = size == 0 ? bytes_of("") : bytes_from(data + 1, size - 1);
	struct note_key key, parsed;
	struct note n;
	int64_t time_s = 0, again_s = 0;
	AUTO_BUF note = { 0 };

	if (size == 0)
		return 0;
	key_choose(data[0], &key);
	parsed = key;
	buf_init(&note, NOTE_BYTES_MAX);
	buf_add_text(&note, one);
	if (!cosignature_take(&note, answer, &parsed, &time_s, NULL)) {
		if (!bytes_is(buf_bytes(&note), one))
			abort();
	} else {
		/* A known signature may be said again; nobody makes another. */
		if (data[0] == 'n' || data[0] == 'p' || time_s != TIME_S || !note_parse(buf_bytes(&note), &n, NULL) ||
		    n.signature_count != 2 || !bytes_is(n.text, TEXT) || !cosignature_verify(&n, &key, &again_s, NULL) || again_s != time_s)
			abort();
	}
	/* As a whole note of others. */
	if (note_parse(answer, &n, NULL) && cosignature_verify(&n, &key, &time_s, NULL) && data[0] == 'n')
		abort();
	return 0;
}
