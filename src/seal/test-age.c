/* age: what is sealed opens again at every awkward size, and nothing that was touched does. */
#include "seal/age.h"

#include <setjmp.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"

/* The testkit's identity, and its recipient as `age-keygen -y` says it. */
static const char published_identity[] =
	"AGE-SECRET-KEY-1EGTZVFFV20835NWYV6270LXYVK2VKNX2MMDKWYKLMGR48UAWX40Q2P2LM0";
static const char published_recipient[] = "age1xmwwc06ly3ee5rytxm9mflaz2u56jjj36s0mypdrwsvlul66mv4q47ryef";

static const size_t sizes[] = { 0, 1, 65535, 65536, 65537, 3 * 65536 - 1, 3 * 65536, 3 * 65536 + 5, 2100000 };
#define SIZES (sizeof(sizes) / sizeof(sizes[0]))

/* Bytes that differ from place to place. */
static void pattern(uint8_t *at, size_t len)
{
	for (size_t i = 0; i < len; i++)
		at[i] = (uint8_t)(i * 31 + i / 251);
}

static int memory_file(struct bytes in)
{
	int fd = memfd_create("test-age", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_true(file_write_all(fd, in, NULL));
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static void memory_read(int fd, struct buf *out)
{
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_true(file_read_fd(fd, "memory file", out, NULL));
}

static struct seal_identity *identity(struct age_recipient *ret)
{
	struct seal_identity *s = seal_identity_new();

	seal_identity_recipient(s, ret);
	return s;
}

/* A recipient whose identity nobody keeps. */
static void stranger(struct age_recipient *ret)
{
	seal_identity_free(identity(ret));
}

/* Opens a whole file in memory. */
static bool open_all(struct bytes sealed, const struct seal_identity *s, struct buf *out, struct err *e)
{
	AUTO_SECRET *file_key = NULL;
	size_t len;

	if (!age_header_length(sealed, &len, e))
		return false;
	if (len == 0)
		return err_set(e, ERR_INPUT, REASON_MALFORMED, "no complete header");
	return age_header_open(bytes_slice(sealed, 0, len), &s, 1, &file_key, e) &&
	       age_payload_open(file_key, bytes_slice(sealed, len, sealed.len), out, e);
}

static void published_keys_are_spelled_as_published(void **state)
{
	AUTO_SEAL_IDENTITY *s = NULL;
	struct age_recipient r, again;
	char text[AGE_RECIPIENT_LEN + 1];
	AUTO_BUF_WIPE file = { 0 };

	buf_init(&file, 1024);
	assert_true(seal_identity_parse(bytes_of(published_identity), &s, NULL));
	seal_identity_recipient(s, &r);
	age_recipient_write(&r, text);
	assert_string_equal(text, published_recipient);
	assert_true(age_recipient_parse(bytes_of(published_recipient), &again, NULL));
	assert_memory_equal(r.x25519, again.x25519, sizeof(r.x25519));
	seal_identity_write(s, &file);
	assert_non_null(strstr(buf_text(&file), published_identity));
	assert_non_null(strstr(buf_text(&file), published_recipient));
}

static void keys_read_back(void **state)
{
	for (unsigned i = 0; i < 50; i++) {
		struct age_recipient r, parsed, again;
		AUTO_SEAL_IDENTITY *s = identity(&r);
		AUTO_SEAL_IDENTITY *t = NULL;
		char text[AGE_RECIPIENT_LEN + 1];
		AUTO_BUF_WIPE file = { 0 };

		buf_init(&file, 1024);
		age_recipient_write(&r, text);
		assert_true(age_recipient_parse(bytes_of(text), &parsed, NULL));
		assert_memory_equal(&r, &parsed, sizeof(r));
		seal_identity_write(s, &file);
		assert_true(seal_identity_parse(buf_bytes(&file), &t, NULL));
		seal_identity_recipient(t, &again);
		assert_memory_equal(&r, &again, sizeof(r));
	}
}

static void every_changed_character_of_a_key_is_noticed(void **state)
{
	char text[100];
	struct age_recipient r;
	struct seal_identity *s;
	struct err e;

	for (size_t i = 0; i < strlen(published_recipient); i++) {
		snprintf(text, sizeof(text), "%s", published_recipient);
		text[i] = text[i] == 'q' ? 'p' : 'q';
		if (text[i] != published_recipient[i])
			assert_false(age_recipient_parse(bytes_of(text), &r, &e));
		text[i] = (char)(published_recipient[i] ^ 0x20); /* the other case */
		assert_false(age_recipient_parse(bytes_of(text), &r, &e));
	}
	for (size_t i = 0; i < strlen(published_identity); i++) {
		snprintf(text, sizeof(text), "%s", published_identity);
		text[i] = text[i] == 'Q' ? 'P' : 'Q';
		assert_false(seal_identity_parse(bytes_of(text), &s, &e));
		assert_null(strstr(e.text, "AGE-SECRET"));
		text[i] = (char)(published_identity[i] ^ 0x20);
		assert_false(seal_identity_parse(bytes_of(text), &s, &e));
	}
}

static void refuses_keys_of_other_kinds(void **state)
{
	/* Valid checksums, but of another prefix (BIP 173's own, and "agf"), with left-over bits, too long. */
	static const char *const bad[] = {
		"", "age1", "A12UEL5L",
		"split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w",
		"abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw",
		"AGE1XMWWC06LY3EE5RYTXM9MFLAZ2U56JJJ36S0MYPDRWSVLUL66MV4Q47RYEF",
		"agf1xmwwc06ly3ee5rytxm9mflaz2u56jjj36s0mypdrwsvlul66mv4qar6thz",
		"age1xmwwc06ly3ee5rytxm9mflaz2u56jjj36s0mypdrwsvlul66mv4pggh3ym",
		"age1xmwwc06ly3ee5rytxm9mflaz2u56jjj36s0mypdrwsvlul66mv4qqqge2wda",
		"age1pq1qqqq", published_identity,
	};
	static const char *const bad_files[] = { "", "\n", "# only a comment\n", "age1x\n",
						 "AGE-SECRET-KEY-PQ-1QQQ\n", published_recipient };
	struct age_recipient r;
	struct seal_identity *s;
	struct err e;
	AUTO_BUF two = { 0 };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(age_recipient_parse(bytes_of(bad[i]), &r, &e));
	for (size_t i = 0; i < sizeof(bad_files) / sizeof(bad_files[0]); i++)
		assert_false(seal_identity_parse(bytes_of(bad_files[i]), &s, &e));
	buf_init(&two, 1024);
	buf_add_format(&two, "%s\n%s\n", published_identity, published_identity);
	assert_false(seal_identity_parse(buf_bytes(&two), &s, &e));
}

static void what_is_sealed_opens_again_at_every_size(void **state)
{
	struct age_recipient r[2];
	AUTO_SEAL_IDENTITY *one = identity(&r[0]);
	AUTO_SEAL_IDENTITY *two = identity(&r[1]);
	uint8_t *plain = malloc(sizes[SIZES - 1]);
	struct err e;

	assert_non_null(plain);
	pattern(plain, sizes[SIZES - 1]);
	for (size_t i = 0; i < SIZES; i++) {
		AUTO_BUF sealed = { 0 };
		AUTO_BUF opened = { 0 };

		buf_init(&sealed, 4 * MIB);
		buf_init(&opened, 4 * MIB);
		assert_true(age_seal(r, 2, bytes_from(plain, sizes[i]), &sealed, &e));
		assert_true(open_all(buf_bytes(&sealed), one, &opened, &e));
		assert_true(bytes_equal(buf_bytes(&opened), bytes_from(plain, sizes[i])));
		buf_clear(&opened);
		assert_true(open_all(buf_bytes(&sealed), two, &opened, &e));
		assert_true(bytes_equal(buf_bytes(&opened), bytes_from(plain, sizes[i])));
	}
	free(plain);
}

static void files_are_sealed_and_opened_in_one_pass_with_both_digests(void **state)
{
	struct age_recipient r;
	AUTO_SEAL_IDENTITY *s = identity(&r);
	const struct seal_identity *list[] = { s };
	uint8_t *plain = malloc(sizes[SIZES - 1]);
	uint8_t digest[SHA256_BYTES];
	struct err e;

	assert_non_null(plain);
	pattern(plain, sizes[SIZES - 1]);
	for (size_t i = 0; i < SIZES; i++) {
		AUTO_FD in = memory_file(bytes_from(plain, sizes[i]));
		AUTO_FD sealed = memory_file((struct bytes){ 0 });
		AUTO_FD out = memory_file((struct bytes){ 0 });
		struct age_totals a, b, c;
		AUTO_BUF bytes = { 0 };

		buf_init(&bytes, 4 * MIB);
		assert_true(age_copy_seal(&(struct age_copy){ .in_fd = in, .out_fd = sealed, .recipients = &r,
							      .recipient_count = 1 }, &a, &e));
		memory_read(sealed, &bytes);
		assert_true(a.plain_bytes == sizes[i] && a.sealed_bytes == bytes.len);
		sha256(buf_bytes(&bytes), digest);
		assert_memory_equal(digest, a.sealed_sha256, sizeof(digest));
		sha256(bytes_from(plain, sizes[i]), digest);
		assert_memory_equal(digest, a.plain_sha256, sizeof(digest));
		lseek(sealed, 0, SEEK_SET);
		assert_true(age_copy_open(&(struct age_copy){ .in_fd = sealed, .out_fd = out, .identities = list,
							      .identity_count = 1 }, &b, &e));
		assert_memory_equal(&a, &b, sizeof(a));
		buf_clear(&bytes);
		memory_read(out, &bytes);
		assert_true(bytes_equal(buf_bytes(&bytes), bytes_from(plain, sizes[i])));
		/* Verification writes nothing. */
		lseek(sealed, 0, SEEK_SET);
		assert_true(age_copy_open(&(struct age_copy){ .in_fd = sealed, .out_fd = -1, .identities = list,
							      .identity_count = 1 }, &c, &e));
		assert_memory_equal(&a, &c, sizeof(a));
	}
	free(plain);
}

static void count_progress(void *ctx, uint64_t plain_bytes)
{
	uint64_t *seen = ctx;

	assert_true(plain_bytes > seen[1]);
	seen[0]++;
	seen[1] = plain_bytes;
}

static void a_pipe_that_trickles_gives_the_same_file(void **state)
{
	struct age_recipient r;
	AUTO_SECRET *file_key = secret_random(AGE_FILE_KEY_BYTES);
	static uint8_t part[8191];
	size_t parts = 2200; /* 18 MB: two reports of progress */
	uint64_t seen[2] = { 0 };
	struct age_totals a, b;
	int pipes[2], status;
	struct err e;
	AUTO_FD sealed = memory_file((struct bytes){ 0 });
	pid_t child;

	stranger(&r);
	pattern(part, sizeof(part));
	assert_int_equal(pipe(pipes), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		close(pipes[0]);
		for (size_t i = 0; i < parts; i++) {
			if (!file_write_all(pipes[1], BYTES_ARRAY(part), NULL))
				_exit(1);
		}
		_exit(0);
	}
	close(pipes[1]);
	assert_true(age_copy_seal(&(struct age_copy){ .in_fd = pipes[0], .out_fd = sealed, .recipients = &r,
						      .recipient_count = 1, .file_key = file_key,
						      .progress = count_progress, .ctx = seen }, &a, &e));
	close(pipes[0]);
	assert_true(waitpid(child, &status, 0) == child && status == 0);
	assert_true(a.plain_bytes == parts * sizeof(part));
	assert_int_equal(seen[0], 2);
	lseek(sealed, 0, SEEK_SET);
	/* With the file key alone, without an identity. */
	assert_true(age_copy_open(&(struct age_copy){ .in_fd = sealed, .out_fd = -1, .file_key = file_key }, &b, &e));
	assert_memory_equal(&a, &b, sizeof(a));
	secret_at(file_key)[0] ^= 1;
	lseek(sealed, 0, SEEK_SET);
	assert_false(age_copy_open(&(struct age_copy){ .in_fd = sealed, .out_fd = -1, .file_key = file_key }, &b, &e));
	assert_int_equal(e.reason, REASON_SEAL_BROKEN);
}

static void every_flipped_byte_is_detected(void **state)
{
	struct age_recipient r;
	AUTO_SEAL_IDENTITY *s = identity(&r);
	struct err e;
	AUTO_BUF sealed = { 0 };
	AUTO_BUF opened = { 0 };

	buf_init(&sealed, MIB);
	buf_init(&opened, MIB);
	assert_true(age_seal(&r, 1, bytes_of("the account of case 17"), &sealed, &e));
	for (size_t i = 0; i < sealed.len; i++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			sealed.at[i] ^= (uint8_t)(1u << bit);
			buf_clear(&opened);
			assert_false(open_all(buf_bytes(&sealed), s, &opened, &e));
			assert_int_equal(opened.len, 0);
			sealed.at[i] ^= (uint8_t)(1u << bit);
		}
	}
	for (size_t len = 0; len < sealed.len; len++)
		assert_false(open_all(bytes_from(sealed.at, len), s, &opened, &e));
	assert_true(open_all(buf_bytes(&sealed), s, &opened, &e));
	buf_add_u8(&sealed, 0);
	buf_clear(&opened);
	assert_false(open_all(buf_bytes(&sealed), s, &opened, &e));
}

static void chunks_cannot_be_dropped_swapped_or_repeated(void **state)
{
	const size_t chunk = AGE_CHUNK_BYTES + AGE_TAG_BYTES;
	static uint8_t plain[3 * AGE_CHUNK_BYTES];
	struct age_recipient r;
	AUTO_SEAL_IDENTITY *s = identity(&r);
	struct err e;
	size_t start;
	AUTO_BUF sealed = { 0 };

	buf_init(&sealed, MIB);
	pattern(plain, sizeof(plain));
	assert_true(age_seal(&r, 1, BYTES_ARRAY(plain), &sealed, &e));
	assert_true(age_header_length(buf_bytes(&sealed), &start, &e));
	start += AGE_NONCE_BYTES;
	for (unsigned how = 0; how < 4; how++) {
		static const unsigned orders[4][4] = { { 1, 0, 2, 9 }, { 0, 2, 9, 9 }, { 0, 0, 1, 2 },
		{ 0, 1, 9, 9 } };
		AUTO_BUF changed = { 0 };
		AUTO_BUF opened = { 0 };

		buf_init(&changed, MIB);
		buf_init(&opened, MIB);
		buf_add(&changed, bytes_slice(buf_bytes(&sealed), 0, start));
		for (unsigned i = 0; i < 4 && orders[how][i] != 9; i++)
			buf_add(&changed, bytes_slice(buf_bytes(&sealed), start + orders[how][i] * chunk, chunk));
		assert_false(open_all(buf_bytes(&changed), s, &opened, &e));
		assert_int_equal(e.reason, REASON_SEAL_BROKEN);
		assert_int_equal(opened.len, 0);
	}
}

static void a_stream_takes_only_full_chunks_before_its_last(void **state)
{
	static uint8_t plain[AGE_CHUNK_BYTES + 1], sealed[AGE_CHUNK_BYTES + AGE_TAG_BYTES];
	static const uint8_t nonce[AGE_NONCE_BYTES];
	AUTO_SECRET *file_key = secret_random(AGE_FILE_KEY_BYTES);
	struct age_stream *s = age_stream_new(file_key, nonce);
	struct err e;

	assert_false(age_stream_seal(s, bytes_from(plain, 5), false, sealed, &e));
	assert_false(age_stream_seal(s, BYTES_ARRAY(plain), true, sealed, &e));
	assert_true(age_stream_seal(s, bytes_from(plain, AGE_CHUNK_BYTES), false, sealed, &e));
	assert_false(age_stream_seal(s, bytes_from(plain, 0), true, sealed, &e));
	assert_true(age_stream_seal(s, bytes_from(plain, 5), true, sealed, &e));
	assert_false(age_stream_seal(s, bytes_from(plain, 5), true, sealed, &e));
	assert_int_equal(e.reason, REASON_WRONG_STATE);
	age_stream_free(s);
}

static void says_when_it_is_not_sealed_to_us(void **state)
{
	struct age_recipient r, not_used;
	AUTO_SEAL_IDENTITY *s = identity(&r);
	AUTO_SEAL_IDENTITY *other = identity(&not_used);
	AUTO_SECRET *file_key = secret_random(AGE_FILE_KEY_BYTES);
	AUTO_SECRET *got = NULL;
	const struct seal_identity *both[] = { other, s };
	struct err e;
	AUTO_BUF header = { 0 };

	buf_init(&header, AGE_HEADER_BYTES_MAX);
	assert_true(age_header_write(&r, 1, file_key, &header, &e));
	assert_false(age_header_open(buf_bytes(&header), both, 1, &got, &e));
	assert_int_equal(e.kind, ERR_REJECTED);
	assert_int_equal(e.reason, REASON_NOT_SEALED_TO_US);
	assert_true(age_header_open(buf_bytes(&header), both, 2, &got, &e));
	assert_true(secret_equal(file_key, got));
	assert_true(age_header_check(buf_bytes(&header), file_key, &e));
	header.at[header.len - 4] = header.at[header.len - 4] == 'A' ? 'B' : 'A'; /* within the MAC */
	secret_free(got);
	got = NULL;
	assert_false(age_header_open(buf_bytes(&header), both, 2, &got, &e));
	assert_int_equal(e.reason, REASON_SEAL_BROKEN);
	assert_false(age_header_check(buf_bytes(&header), file_key, &e));
}

static void the_header_is_found_however_much_is_there(void **state)
{
	struct age_recipient r;
	struct err e;
	size_t len, whole;
	AUTO_BUF sealed = { 0 };
	AUTO_BUF endless = { 0 };

	stranger(&r);
	buf_init(&sealed, MIB);
	assert_true(age_seal(&r, 1, bytes_of("x"), &sealed, &e));
	assert_true(age_header_length(buf_bytes(&sealed), &whole, &e));
	for (size_t i = 0; i <= sealed.len; i++) {
		assert_true(age_header_length(bytes_from(sealed.at, i), &len, &e));
		assert_int_equal(len, i < whole ? 0 : whole);
	}
	assert_false(age_header_length(bytes_of("age-encryption.org/v2\n"), &len, &e));
	assert_false(age_header_length(bytes_of("-----BEGIN AGE"), &len, &e));
	buf_init(&endless, 2 * AGE_HEADER_BYTES_MAX);
	buf_add_text(&endless, "age-encryption.org/v1\n");
	while (endless.len < AGE_HEADER_BYTES_MAX)
		buf_add_text(&endless, "-> grease\n\n");
	assert_true(age_header_length(bytes_from(endless.at, AGE_HEADER_BYTES_MAX - 1), &len, &e));
	assert_int_equal(len, 0);
	assert_false(age_header_length(buf_bytes(&endless), &len, &e));
	assert_int_equal(e.kind, ERR_LIMIT);
}

static void recipients_are_one_to_the_limit_and_none_of_small_order(void **state)
{
	static struct age_recipient many[AGE_STANZAS_MAX + 1];
	struct age_recipient zero = { { 0 } };
	AUTO_SEAL_IDENTITY *s = identity(&many[0]);
	struct err e;
	AUTO_BUF sealed = { 0 };
	AUTO_BUF opened = { 0 };

	buf_init(&sealed, MIB);
	buf_init(&opened, MIB);
	for (size_t i = 1; i <= AGE_STANZAS_MAX; i++)
		stranger(&many[i]);
	assert_false(age_seal(many, 0, bytes_of("x"), &sealed, &e));
	assert_false(age_seal(many, AGE_STANZAS_MAX + 1, bytes_of("x"), &sealed, &e));
	assert_false(age_seal(&zero, 1, bytes_of("x"), &sealed, &e));
	assert_int_equal(sealed.len, 0);
	assert_true(age_seal(many, AGE_STANZAS_MAX, bytes_of("x"), &sealed, &e));
	assert_true(open_all(buf_bytes(&sealed), s, &opened, &e));
}

/* Rewritten in place, a sealed file opens with its file key as before, and with no identity any more. */
static void a_bare_header_opens_with_the_file_key_alone(void **state)
{
	struct age_recipient r;
	AUTO_SEAL_IDENTITY *id = identity(&r);
	const struct seal_identity *ids[] = { id };
	AUTO_SECRET *key = secret_random(AGE_FILE_KEY_BYTES), *other = secret_random(AGE_FILE_KEY_BYTES);
	struct secret *opened = NULL;
	struct err e = { 0 };
	AUTO_BUF header = { 0 }, bare = { 0 };

	buf_init(&header, AGE_HEADER_BYTES_MAX);
	buf_init(&bare, AGE_HEADER_BYTES_MAX);
	assert_true(age_header_write(&r, 1, key, &header, NULL));
	for (size_t len = header.len; len < header.len + 200; len++) {
		size_t found = 0;
		buf_clear(&bare);
		assert_true(age_header_bare(len, key, &bare, NULL));
		assert_int_equal(bare.len, len);
		assert_true(age_header_length(buf_bytes(&bare), &found, NULL));
		assert_int_equal(found, len);
		assert_true(age_header_check(buf_bytes(&bare), key, NULL));
		assert_false(age_header_check(buf_bytes(&bare), other, NULL));
		assert_false(age_header_open(buf_bytes(&bare), ids, 1, &opened, &e));
		assert_int_equal(e.reason, REASON_NOT_SEALED_TO_US);
	}
	assert_false(age_header_bare(40, key, &bare, &e));
	assert_int_equal(e.reason, REASON_BAD_ARGUMENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(published_keys_are_spelled_as_published),
		cmocka_unit_test(keys_read_back),
		cmocka_unit_test(every_changed_character_of_a_key_is_noticed),
		cmocka_unit_test(refuses_keys_of_other_kinds),
		cmocka_unit_test(what_is_sealed_opens_again_at_every_size),
		cmocka_unit_test(files_are_sealed_and_opened_in_one_pass_with_both_digests),
		cmocka_unit_test(a_pipe_that_trickles_gives_the_same_file),
		cmocka_unit_test(every_flipped_byte_is_detected),
		cmocka_unit_test(chunks_cannot_be_dropped_swapped_or_repeated),
		cmocka_unit_test(a_stream_takes_only_full_chunks_before_its_last),
		cmocka_unit_test(says_when_it_is_not_sealed_to_us),
		cmocka_unit_test(the_header_is_found_however_much_is_there),
		cmocka_unit_test(a_bare_header_opens_with_the_file_key_alone),
		cmocka_unit_test(recipients_are_one_to_the_limit_and_none_of_small_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
