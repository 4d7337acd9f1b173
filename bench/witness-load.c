/* The load of bench/log: many logs at once ask one witness to cosign, as C2SP logs do, over HTTPS with connections that
 * are kept open. All trees, proofs and signatures are made before the clock starts; each log has one call under way and
 * grows by one leaf a call. What comes back is verified for one call in 64, outside of what is timed only in so far as
 * the load is another process.
 *   witness-load keys LOGS              prints a vkey a line
 *   witness-load run LOGS STEPS URL WITNESS-VKEY */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "log/cosignature.h"
#include "log/witness.h"

#define STEPS_MAX 4096u
#define LOGS_MAX 1024u
#define LEVELS 13u
#define CHECK_EVERY 64u
#define TEXT_TYPE "Content-Type: text/plain; charset=utf-8"

static void must(bool ok, const struct err *e)
{
	if (ok)
		return;
	fprintf(stderr, "witness-load: %s\n", e->text);
	exit(1);
}

/* Log i has the seed of i: the same keys in every call of this program. */
static struct sign_key *log_key(unsigned i)
{
	struct sign_key *k = NULL;
	char text[120];
	struct err e;

	snprintf(text, sizeof(text), "comity-key-v1 ed25519 %064x\n", i + 1);
	must(sign_key_parse(bytes_of(text), &k, &e), &e);
	return k;
}

static void log_origin(unsigned i, char ret[static 64])
{
	snprintf(ret, 64, "bench.example/log%u", i);
}

static void print_keys(unsigned logs)
{
	for (unsigned i = 0; i < logs; i++) {
		struct sign_key *k = log_key(i);
		struct note_key key;
		char origin[64];
		AUTO_BUF text = { 0 };

		buf_init(&text, KIB);
		log_origin(i, origin);
		note_key_make(origin, NOTE_ED25519, sign_key_public(k), &key);
		note_key_write(&key, &text);
		puts(buf_text(&text));
		sign_key_free(k);
	}
}

/* --- one tree for all logs ------------------------------------------------------------------------ */

static merkle_hash nodes[LEVELS][STEPS_MAX];

static void tree_make(void)
{
	for (unsigned i = 0; i < STEPS_MAX; i++) {
		uint8_t entry[4] = { (uint8_t)(i >> 24), (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i };
		merkle_leaf(BYTES_ARRAY(entry), nodes[0][i]);
	}
	for (unsigned level = 1; level < LEVELS; level++)
		for (unsigned i = 0; i < STEPS_MAX >> level; i++)
			merkle_node(nodes[level - 1][2 * i], nodes[level - 1][2 * i + 1], nodes[level][i]);
}

/* Of the leaves [from, to), where from is a multiple of the smallest power of two that holds them (crypto.md 1.1). */
static void root_of(unsigned from, unsigned to, merkle_hash ret)
{
	unsigned n = to - from, level = 0;

	while (1u << level < n)
		level++;
	if (1u << level == n) {
		memcpy(ret, nodes[level][from >> level], sizeof(merkle_hash));
		return;
	}
	merkle_hash left, right;
	root_of(from, from + (1u << (level - 1)), left);
	root_of(from + (1u << (level - 1)), to, right);
	merkle_node(left, right, ret);
}

/* RFC 6962 2.1.2 SUBPROOF over [from, to). */
static void subproof(unsigned m, unsigned from, unsigned to, bool whole, merkle_hash *proof, size_t *count)
{
	unsigned n = to - from, k = 1;

	if (m == n) {
		if (!whole)
			root_of(from, to, proof[(*count)++]);
		return;
	}
	while (2 * k < n)
		k *= 2;
	if (m <= k) {
		subproof(m, from, from + k, whole, proof, count);
		root_of(from + k, to, proof[(*count)++]);
	} else {
		subproof(m - k, from + k, to, false, proof, count);
		root_of(from, from + k, proof[(*count)++]);
	}
}

/* --- calls ---------------------------------------------------------------------------------------- */

struct call {
	struct bytes body;
};
struct one_log {
	struct call *calls;
	unsigned at;
	CURL *curl;
	struct buf answer;
	int64_t begun;
};

static void calls_make(unsigned log, unsigned steps, struct call *ret)
{
	struct sign_key *k = log_key(log);
	struct checkpoint c = { .size = 0 };
	struct err e;

	log_origin(log, c.origin);
	for (unsigned i = 0; i < steps; i++) {
		merkle_hash proof[PROOF_HASHES_MAX];
		size_t count = 0;
		AUTO_BUF text = { 0 }, note = { 0 }, body = { 0 };

		buf_init(&text, KIB);
		buf_init(&note, 4 * KIB);
		buf_init(&body, 8 * KIB);
		c.size = i + 1;
		root_of(0, i + 1, c.root);
		if (i > 0)
			subproof(i, 0, i + 1, true, proof, &count);
		checkpoint_write(&c, &text);
		must(note_sign(buf_bytes(&text), c.origin, k, &note, &e), &e);
		must(witness_request_write(i, (const merkle_hash *)proof, count, buf_bytes(&note), &body, &e), &e);
		uint8_t *at = malloc(body.len);
		if (at == NULL)
			abort();
		memcpy(at, body.at, body.len);
		ret[i].body = bytes_from(at, body.len);
	}
	sign_key_free(k);
}

static size_t take(char *at, size_t size, size_t n, void *ctx)
{
	buf_add(ctx, bytes_from(at, size * n));
	return size * n;
}

static void begin(CURLM *multi, struct one_log *l, const char *url, struct curl_slist *headers)
{
	struct bytes body = l->calls[l->at].body;

	if (l->curl == NULL) {
		l->curl = curl_easy_init();
		buf_init(&l->answer, 8 * KIB);
		curl_easy_setopt(l->curl, CURLOPT_URL, url);
		curl_easy_setopt(l->curl, CURLOPT_SSL_VERIFYPEER, 0L); /* what it answers is signed */
		curl_easy_setopt(l->curl, CURLOPT_SSL_VERIFYHOST, 0L);
		curl_easy_setopt(l->curl, CURLOPT_HTTPHEADER, headers);
		curl_easy_setopt(l->curl, CURLOPT_WRITEFUNCTION, take);
		curl_easy_setopt(l->curl, CURLOPT_WRITEDATA, &l->answer);
		curl_easy_setopt(l->curl, CURLOPT_PRIVATE, l);
		curl_easy_setopt(l->curl, CURLOPT_TIMEOUT, 30L);
	}
	buf_clear(&l->answer);
	curl_easy_setopt(l->curl, CURLOPT_POSTFIELDSIZE, (long)body.len);
	curl_easy_setopt(l->curl, CURLOPT_POSTFIELDS, (const char *)body.at);
	l->begun = clock_monotonic_us();
	curl_multi_add_handle(multi, l->curl);
}

static void check(const struct one_log *l, const struct note_key *witness)
{
	struct bytes body = l->calls[l->at].body;
	const uint8_t *note = memmem(body.at, body.len, "\n\n", 2);
	struct err e;
	int64_t time_s;
	AUTO_BUF both = { 0 };

	buf_init(&both, NOTE_BYTES_MAX);
	buf_add(&both, bytes_slice(body, (size_t)(note + 2 - body.at), body.len - (size_t)(note + 2 - body.at)));
	must(cosignature_take(&both, buf_bytes(&l->answer), witness, &time_s, &e), &e);
}

static int by_size(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static int run(unsigned logs, unsigned steps, const char *url, const char *vkey)
{
	struct one_log *all = calloc(logs, sizeof(*all));
	uint32_t *us = calloc((size_t)logs * steps, sizeof(*us));
	struct curl_slist *headers = curl_slist_append(NULL, TEXT_TYPE);
	CURLM *multi = curl_multi_init();
	struct note_key witness;
	struct err e;
	size_t done = 0;
	int left;

	if (all == NULL || us == NULL || multi == NULL || headers == NULL)
		abort();
	must(note_key_parse(bytes_of(vkey), &witness, &e), &e);
	tree_make();
	for (unsigned i = 0; i < logs; i++) {
		all[i].calls = calloc(steps, sizeof(*all[i].calls));
		if (all[i].calls == NULL)
			abort();
		calls_make(i, steps, all[i].calls);
	}
	int64_t begun = clock_monotonic_us();
	for (unsigned i = 0; i < logs; i++)
		begin(multi, &all[i], url, headers);
	while (done < (size_t)logs * steps) {
		curl_multi_perform(multi, &left);
		for (CURLMsg *m; (m = curl_multi_info_read(multi, &left)) != NULL;) {
			struct one_log *l;
			long status = 0;
			CURLcode code = m->data.result;
			curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&l);
			curl_easy_getinfo(l->curl, CURLINFO_RESPONSE_CODE, &status);
			curl_multi_remove_handle(multi, l->curl);
			if (code != CURLE_OK || status != 200) {
				fprintf(stderr, "witness-load: %s, status %ld: %.200s\n", curl_easy_strerror(code), status, buf_text(&l->answer));
				return 1;
			}
			us[done] = (uint32_t)(clock_monotonic_us() - l->begun);
			if (done++ % CHECK_EVERY == 0)
				check(l, &witness);
			if (++l->at < steps)
				begin(multi, l, url, headers);
		}
		if (done < (size_t)logs * steps)
			curl_multi_poll(multi, NULL, 0, 1000, NULL);
	}
	int64_t took = clock_monotonic_us() - begun;
	qsort(us, done, sizeof(*us), by_size);
	printf("calls=%zu us=%lld p50_us=%u p99_us=%u\n", done, (long long)took, us[done / 2], us[done * 99 / 100]);
	return 0;
}

int main(int argc, char **argv)
{
	unsigned logs = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 0;
	unsigned steps = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 0;

	if (argc == 3 && strcmp(argv[1], "keys") == 0 && logs >= 1 && logs <= LOGS_MAX) {
		print_keys(logs);
		return 0;
	}
	if (argc == 6 && strcmp(argv[1], "run") == 0 && logs >= 1 && logs <= LOGS_MAX && steps >= 1 && steps <= STEPS_MAX)
		return run(logs, steps, argv[4], argv[5]);
	fprintf(stderr, "usage: witness-load keys LOGS | run LOGS STEPS URL VKEY\n");
	return 2;
}
