/* One log grown from nothing, as a keeper grows it: slots of PER_SLOT null leaves, each slot one durable transaction,
 * then its tiles as files. At every power of ten: leaves a second since the last, memory of this process, and time and
 * size of a proof (a thousand places drawn by chance).
 *   log-grow DIR LEAVES-MAX PER-SLOT
 *   log-grow --key                     its verifier key, as JSON */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/limits.h"
#include "log/leaf.h"
#include "log/log.h"
#include "log/tlog-proof.h"

#define PROOFS 1000u
#define ORIGIN "bench.example/grow"
#define KEY_TEXT "comity-key-v1 ed25519 1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c\n"

static void must(bool ok, const struct err *e)
{
	if (ok)
		return;
	fprintf(stderr, "log-grow: %s\n", e->text);
	exit(1);
}

static long resident_kib(void)
{
	FILE *f = fopen("/proc/self/status", "re");
	char line[256];
	long kib = -1;

	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (sscanf(line, "VmRSS: %ld", &kib) == 1)
			break;
	if (f != NULL)
		fclose(f);
	return kib;
}

static const uint8_t null_key[32] = { 7 };

static void slot(struct store *s, struct log *l, const struct sign_key *key, uint64_t leaves)
{
	struct checkpoint c = { .size = 0 };
	uint8_t leaf[LEAF_V1_BYTES];
	uint64_t index;
	struct err e;
	AUTO_BUF text = { 0 }, note = { 0 };

	buf_init(&text, KIB);
	buf_init(&note, 4 * KIB);
	must(store_begin(s, &e), &e);
	for (uint64_t i = 0; i < leaves; i++) {
		leaf_write_null(null_key, log_size(l), bytes_of("2026-W48"), leaf);
		must(log_append(l, BYTES_ARRAY(leaf), NULL, &index, &e), &e);
	}
	must(log_save(l, &e) && store_commit(s, &e), &e);
	log_committed(l);
	snprintf(c.origin, sizeof(c.origin), "%s", ORIGIN);
	c.size = log_size(l);
	log_root(l, c.root);
	checkpoint_write(&c, &text);
	must(note_sign(buf_bytes(&text), ORIGIN, key, &note, &e) && log_publish(l, buf_bytes(&note), &e), &e);
}

static void proofs(struct log *l, uint64_t size, double *ret_us, size_t *ret_bytes)
{
	int64_t begun = clock_monotonic_us();
	size_t bytes = 0;
	struct err e;

	for (unsigned i = 0; i < PROOFS; i++) {
		struct tlog_proof p = { 0 };
		uint64_t at;
		AUTO_BUF text = { 0 };

		buf_init(&text, NOTE_BYTES_MAX);
		chance_fill((uint8_t *)&at, sizeof(at));
		p.index = at % size;
		must(log_inclusion(l, p.index, size, p.hashes, &p.hash_count, &e), &e);
		p.note = bytes_of(ORIGIN "\n0\n\n");
		tlog_proof_write(&p, &text);
		bytes += text.len;
	}
	*ret_us = (double)(clock_monotonic_us() - begun) / PROOFS;
	*ret_bytes = bytes / PROOFS;
}

static int print_key(const struct sign_key *key)
{
	struct note_key k;
	AUTO_BUF text = { 0 };

	buf_init(&text, KIB);
	note_key_make(ORIGIN, NOTE_ED25519, sign_key_public(key), &k);
	note_key_write(&k, &text);
	printf("{\"vkey\":\"%s\"}\n", buf_text(&text));
	return 0;
}

int main(int argc, char **argv)
{
	uint64_t max = argc == 4 ? strtoull(argv[2], NULL, 10) : 0, per_slot = argc == 4 ? strtoull(argv[3], NULL, 10) : 0;
	int home = argc == 4 ? open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	struct sign_key *key = NULL;
	struct store *s = NULL;
	struct log *l = NULL;
	struct err e;

	must(sign_key_parse(bytes_of(KEY_TEXT), &key, &e), &e);
	if (argc == 2 && strcmp(argv[1], "--key") == 0)
		return print_key(key);
	if (home < 0 || max == 0 || per_slot == 0 || (mkdirat(home, "log", 0700) != 0)) {
		fprintf(stderr, "usage: log-grow EMPTY-DIR LEAVES-MAX PER-SLOT\n");
		return 2;
	}
	int log_fd = openat(home, "log", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	must(store_open(home, &s, &e) && log_open(s, log_fd, ORIGIN, &l, &e), &e);
	for (uint64_t power = 1000; power <= max; power *= 10) {
		int64_t begun = clock_monotonic_us();
		uint64_t from = log_size(l);
		double us;
		size_t bytes;

		while (log_size(l) < power) {
			uint64_t left = power - log_size(l);
			slot(s, l, key, left < per_slot ? left : per_slot);
		}
		double seconds = (double)(clock_monotonic_us() - begun) / 1e6;
		proofs(l, power, &us, &bytes);
		printf("leaves=%llu rate=%.0f rss_kib=%ld proof_us=%.1f proof_bytes=%zu\n", (unsigned long long)power,
		       (double)(power - from) / seconds, resident_kib(), us, bytes);
		fflush(stdout);
	}
	log_close(l);
	store_close(s);
	close(log_fd);
	close(home);
	sign_key_free(key);
	return 0;
}
