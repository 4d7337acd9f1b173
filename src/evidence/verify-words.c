/* Plain words for the codes in acts. A verifier has no treaty files, so the few words that a report needs stand
 * here; what is unknown is shown as it was written, never guessed. */
#include <string.h>

#include "evidence/verify-internal.h"

struct word {
	const char *code, *words;
};

static const struct word custody_acts[] = {
	{ "accept", "accepted" }, { "acquire", "acquired" }, { "analyse", "analysed" }, { "copy", "copied" },
	{ "correct", "corrected" }, { "destroy", "destroyed" }, { "disclose", "disclosed" }, { "extract", "extracted" },
	{ "hash", "hashed" }, { "open", "opened" }, { "package", "packaged" }, { "receive", "received" },
	{ "redact", "redacted" }, { "refuse", "refused" }, { "release", "released" }, { "return", "returned" },
	{ "seal", "sealed" }, { "seize", "seized" }, { "transmit", "handed over (transmit)" }, { "verify", "verified" },
};

static const struct word bases[] = {
	{ "UNCC", "UN Convention against Cybercrime (UNCC)" },
	{ "bilateral", "a bilateral treaty (bilateral)" },
	{ "budapest", "Convention on Cybercrime of Budapest (budapest)" },
	{ "pilot", "a pilot between two authorities, under no treaty (pilot)" },
	{ "reciprocity", "reciprocity, under no treaty (reciprocity)" },
};

static const struct word assurances[] = {
	{ "key-file", "with a key kept in a file (key-file)" },
};

static const char *words_of(const struct word *list, size_t n, const char *code)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i].code, code) == 0)
			return list[i].words;
	return code;
}

const char *verify_custody_words(const char *act)
{
	return words_of(custody_acts, sizeof(custody_acts) / sizeof(custody_acts[0]), act);
}

const char *verify_basis_words(const char *basis)
{
	return words_of(bases, sizeof(bases) / sizeof(bases[0]), basis);
}

const char *verify_assurance_words(const char *assurance)
{
	return words_of(assurances, sizeof(assurances) / sizeof(assurances[0]), assurance);
}
