/* Policies from outside: what parses keeps its limits, its quorum is monotone and needs somebody, and its keys are
 * different. */
#include <stdlib.h>
#include <string.h>

#include "log/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_keys(const struct policy *p)
{
	for (size_t i = 0; i < policy_witness_count(p); i++) {
		const struct policy_witness *w = policy_witness_at(p, i);

		if (w->name[0] == '\0' || strpbrk(w->name, " \t\n") != NULL || strcmp(w->name, "none") == 0 ||
		    (w->url[0] != '\0' && w->url[strlen(w->url) - 1] == '/'))
			abort();
		for (size_t k = 0; k < i; k++)
			if (strcmp(policy_witness_at(p, k)->name, w->name) == 0 || note_key_same(&policy_witness_at(p, k)->key, &w->key))
				abort();
	}
	for (size_t i = 0; i < policy_log_count(p); i++)
		for (size_t k = 0; k < i; k++)
			if (note_key_same(&policy_log_at(p, k)->key, &policy_log_at(p, i)->key))
				abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char cosigned[] = "xa.example/log\n7\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n" NOTE_DASH "other AAAAAAAA\n";
	bool counted[POLICY_WITNESSES_MAX] = { false };
	struct policy_verdict v;
	struct note n;
	AUTO_POLICY *p = NULL;

	if (!policy_parse(bytes_from(data, size), &p, NULL))
		return 0;
	if (policy_log_count(p) > POLICY_LOGS_MAX || policy_witness_count(p) > POLICY_WITNESSES_MAX)
		abort();
	check_keys(p);
	bool met = policy_quorum(p, counted);
	if (met != policy_wants_none(p))
		abort();
	for (size_t i = 0; i < policy_witness_count(p); i++) {
		bool before = met;

		counted[i] = true;
		met = policy_quorum(p, counted);
		if (before && !met)
			abort();
	}
	if (!met) /* everybody together is always enough */
		abort();
	if (!note_parse(bytes_of(cosigned), &n, NULL) || !policy_evaluate(p, &n, NULL, NULL, &v, NULL))
		abort();
	if (v.met != policy_wants_none(p) || v.witnesses != 0 || v.quorum_ms != 0 || (v.missing.len == 0) != policy_wants_none(p))
		abort();
	policy_verdict_release(&v);
	return 0;
}
